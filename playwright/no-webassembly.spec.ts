// A browser without WebAssembly and without a compiler, as hardened ones are set up (V8's --jitless): the simulator does without.

import {expect, test} from '@playwright/test';
import configuration from './playwright.config.js';
import {LabPage} from './lab-page.js';

const {executablePath = '', args = []} = configuration.use?.launchOptions ?? {};
test.use({launchOptions: {executablePath, args: [...args, '--js-flags=--jitless']}});

test('without WebAssembly the lab opens, steps both ways, and runs to the end', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open();
  expect(await page.evaluate(() => typeof WebAssembly)).toBe('undefined');
  await lab.nextExit.click();
  await expect(lab.stage.locator('.card')).toContainText('I/O instruction');
  const exit = await lab.step();
  await lab.back.click();
  await expect.poll(() => lab.step()).toBe(exit - 1);
  await page.keyboard.press('End');
  await expect(lab.console).toContainText('Hi');
  expect(lab.troubles).toEqual([]);
});
