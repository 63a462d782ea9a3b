// The lab without a network: what was opened once is there again, in a hall without one.

import {expect, test} from '@playwright/test';
import {LabPage} from './lab-page.js';

test.use({serviceWorkers: 'allow'});

test('a lab that was opened once opens without a network', async ({page, context}) => {
  const lab = new LabPage(page);
  await lab.open();
  // The worker is there once it has kept every file.
  await page.evaluate(async () => navigator.serviceWorker.ready);
  await context.setOffline(true);
  await page.reload();
  await lab.ready();
  await page.keyboard.press('e');
  await expect(lab.why).toContainText('left the guest');
  await page.keyboard.press('k');
  await expect(page.getByRole('tabpanel')).toContainText(/recording/i);
  await lab.shot('offline');
});
