// The documentation: served beside the lab, with labs that run in it.

import {expect, test} from '@playwright/test';
import {LabPage} from './lab-page.js';

test('the documentation has a lab in it that steps, and leads to the whole one', async ({page}) => {
  const {troubles} = new LabPage(page);
  await page.goto('/docs/getting-started.html');
  await expect(page.getByRole('heading', {name: 'Getting started', level: 1})).toBeVisible();
  const lab = page.frameLocator('hyperscope-lab iframe').first();
  await lab.getByRole('button', {name: /Next exit/}).click();
  await expect(lab.locator('hs-why')).toContainText('left the guest');
  const whole = lab.getByRole('link', {name: 'Open in the lab'});
  await expect(whole).toHaveAttribute('href', /#v1\/vtx-ept\/hello-kvm\/\d+$/);
  await page.screenshot({path: 'playwright/output/docs.png'});
  expect(troubles).toEqual([]);
});

test('every page of the sidebar is there', async ({page, request}) => {
  // Of a decision: there the list has all of them.
  await page.goto('/docs/decisions/0001-recorded-microcode.html');
  const links = await page
    .locator('.VPSidebar a')
    .evaluateAll(anchors => anchors.map(anchor => anchor.getAttribute('href') ?? ''));
  expect(links.length).toBeGreaterThan(45);
  for (const link of links) expect((await request.get(link)).status(), link).toBe(200);
});
