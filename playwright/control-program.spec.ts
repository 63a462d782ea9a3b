// Several virtual machines under a control program: whose the processor is, and what each printed.

import {expect, test} from '@playwright/test';
import {accessibilityTrouble} from './accessibility.js';
import {LabPage} from './lab-page.js';

test('two users share the processor, and each has a console of its own', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open('#v1/control-program/cms-punch');
  await expect(page.getByLabel('Guest', {exact: true})).toHaveValue('cms-punch');
  await page.keyboard.press('End');
  const console = (name: string) => page.getByRole('log', {name: `Console of ${name} · COM1`});
  await expect(console('CMS1')).toContainText('CMS2 HAS YOUR DECK', {timeout: 25_000});
  await expect(console('CMS2')).toContainText('PLEASE ANSWER');
  await expect(page.getByText('All virtual machines have come to their ends.')).toBeVisible();
  await expect(lab.stage).toContainText('virtual machine');
  expect(await accessibilityTrouble(page)).toEqual([]);
  await lab.shot('control-program');
  expect(lab.troubles).toEqual([]);
});
