// The static build in a folder of somebody's web server, without the backend: the lab and its documentation work there.

import {expect, test} from '@playwright/test';
import {serveStatic, type StaticServer} from './static-server.js';

const FOLDER = '/courses/2026/hyperscope/';
let server: StaticServer;

test.beforeAll(async () => {
  server = await serveStatic('../packages/visualiser/dist', FOLDER);
});
test.afterAll(() => server.close());

test('in a folder of a plain server the lab runs, and its documentation opens at every page and leads back', async ({
  page,
}) => {
  const troubles: string[] = [];
  page.on('pageerror', error => troubles.push(error.message));
  // There is no backend, and the lab asks for one; everything else is there.
  page.on('response', response => {
    if (response.status() >= 400 && !response.url().endsWith(`${FOLDER}api/kvm`)) troubles.push(response.url());
  });
  const asked: string[] = [];
  page.on('request', request => {
    if (request.url().startsWith('http')) asked.push(request.url());
  });
  await page.goto(`${server.address}${FOLDER}docs/`);
  // Without the network's help: a link of the page that was rendered, then one of a page that a script made.
  await page.getByRole('link', {name: 'Getting started'}).first().click();
  await expect(page.getByRole('heading', {name: 'Getting started', level: 1})).toBeVisible();
  const lab = page.frameLocator('hyperscope-lab iframe').first();
  await lab.getByRole('button', {name: /Next exit/}).click();
  await expect(lab.locator('hs-why')).toContainText('left the guest');
  await page.locator('.VPSidebar').getByRole('link', {name: 'Architecture'}).click();
  await page.getByRole('link', {name: 'decision 0001'}).click();
  await expect(page).toHaveURL(/\/courses\/2026\/hyperscope\/docs\/decisions\/0001-[\w-]+\.html$/);
  // Two folders down the same, from the server.
  await page.reload();
  await page.locator('.VPSidebar').getByRole('link', {name: 'The tour, in the order of the lecture'}).click();
  await expect(page.getByRole('heading', {name: 'The tour of ideas', level: 1})).toBeVisible();
  await page.getByRole('link', {name: 'Open the lab'}).first().click();
  await expect(page.locator('hs-lab')).toHaveAttribute('aria-busy', 'false');
  await expect(page).toHaveURL(new RegExp(`${FOLDER}(?:#.*)?$`));
  const outside = asked.filter(url => !url.startsWith(server.address + FOLDER));
  expect(outside).toEqual([]);
  expect(troubles).toEqual([]);
});

test('in a folder the search of the documentation finds and leads there', async ({page}) => {
  await page.goto(`${server.address}${FOLDER}docs/decisions/0001-recorded-microcode.html`);
  await page.getByRole('button', {name: 'Search'}).click();
  await page.getByRole('searchbox').fill('hidden fault');
  await page.getByRole('option').first().click();
  await expect(page).toHaveURL(new RegExp(`${FOLDER}docs/[\\w/-]+\\.html#`));
  await expect(page.locator('.VPDoc h1')).toBeVisible();
});
