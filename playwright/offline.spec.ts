// The lab without a network: what was opened once is there again, in a hall without one.

import {expect, test, type BrowserContext, type Page} from '@playwright/test';
import {LabPage} from './lab-page.js';

test.use({serviceWorkers: 'allow'});
// Everything that there is is fetched, file by file.
test.describe.configure({timeout: 60_000});

/** What the service worker asks the server for. */
function askedByWorker(context: BrowserContext): readonly string[] {
  const asked: string[] = [];
  context.on('request', request => {
    if (request.serviceWorker() !== null) asked.push(new URL(request.url()).pathname);
  });
  return asked;
}

/** Opens the help, and gives the line that says what is there without a network. */
async function offlineLine(page: Page) {
  await page.keyboard.press('?');
  return page.locator('hs-offline-state');
}

test('a lab that was opened once opens without a network; its documentation is left for later', async ({
  page,
  context,
}) => {
  const lab = new LabPage(page);
  const asked = askedByWorker(context);
  await lab.open();
  // The worker is there once it has kept every file.
  await page.evaluate(async () => navigator.serviceWorker.ready);
  const line = await offlineLine(page);
  await expect(line).toContainText('Available offline: the lab.');
  await page.keyboard.press('Escape');
  expect(asked).toContain('/index.html');
  expect(asked.filter(path => path.startsWith('/docs/'))).toEqual([]);
  await context.setOffline(true);
  await page.reload();
  await lab.ready();
  await page.keyboard.press('e');
  await expect(lab.why).toContainText('left the guest');
  await page.keyboard.press('k');
  await expect(page.getByRole('tabpanel')).toContainText(/recording/i);
  await lab.shot('offline');
});

test('the documentation is there without a network after the button of the help', async ({page, context}) => {
  const lab = new LabPage(page);
  await lab.open();
  await page.evaluate(async () => navigator.serviceWorker.ready);
  const line = await offlineLine(page);
  await line.getByRole('button', {name: /Save the documentation/}).click();
  await expect(line).toContainText('Available offline: the lab, with documentation.', {timeout: 20_000});
  await lab.shot('offline-help');
  await context.setOffline(true);
  await page.goto('/docs/decisions/0001-recorded-microcode.html');
  await page.locator('.VPSidebar').getByRole('link', {name: 'Getting started'}).click();
  const frame = page.frameLocator('hyperscope-lab iframe').first();
  await frame.getByRole('button', {name: /Next exit/}).click();
  await expect(frame.locator('hs-why')).toContainText('left the guest');
});

test('the documentation is kept when it is opened, and says so', async ({page, context}) => {
  await page.goto('/docs/tour.html');
  const line = page.locator('.VPSidebar .offline-line');
  await expect(line).toContainText('Available offline: the lab, with documentation.', {timeout: 25_000});
  await context.setOffline(true);
  await page.goto('/docs/glossary.html');
  await expect(page.getByRole('heading', {name: 'Glossary', level: 1})).toBeVisible();
});
