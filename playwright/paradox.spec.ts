// The paradox of 2005, with keys alone: from the cycles of the lab to bars that were run, a stop in the middle, and back.

import {expect, test} from '@playwright/test';
import {accessibilityTrouble} from './accessibility.js';
import {LabPage} from './lab-page.js';

test('hypervisors are run beside native, stopped, and run again with a dearer exit', async ({page}) => {
  test.setTimeout(60_000);
  const lab = new LabPage(page);
  await lab.open();
  await page.getByRole('button', {name: /^cycles/}).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', {name: 'Which hypervisor is faster, and when?'}).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', {name: 'Which hypervisor is faster, and when?'});
  const figures = dialog.locator('hs-paradox-chart');
  await expect(figures.getByText('1.00×').first()).toBeVisible({timeout: 20_000});
  await dialog.getByRole('button', {name: 'Stop'}).press('Enter');
  await expect(dialog.getByRole('status')).toHaveText('Stopped.');
  expect(await accessibilityTrouble(page)).toEqual([]);
  await dialog.getByRole('slider', {name: /VM exit and entry/}).press('End');
  await expect(dialog.getByText('8000 cycles')).toBeVisible();
  await expect(dialog.getByRole('button', {name: 'Stop'})).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  expect(lab.troubles).toEqual([]);
});
