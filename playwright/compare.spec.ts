// One guest on seven machines under one scrubber, with keys alone: who is right, who is not, and why.

import {expect, test} from '@playwright/test';
import {accessibilityTrouble} from './accessibility.js';
import {LabPage} from './lab-page.js';

test('seven machines stand beside each other, and the one that goes wrong says why', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open('#v1/vtx-ept/popf');
  await page.keyboard.press('c');
  const lanes = page.getByRole('radiogroup', {name: 'Machines'}).getByRole('radio');
  await expect(lanes).toHaveCount(7);
  await expect(lanes.filter({hasText: 'right'})).toHaveCount(5, {timeout: 25_000});
  const wrong = lanes.filter({hasText: 'wrong'});
  await expect(wrong).toHaveCount(1);
  await expect(wrong).toContainText('Trap & emulate');
  // By keys: down to the second machine, to the end, and back by one.
  await lanes.first().focus();
  await page.keyboard.press('ArrowDown');
  await expect(wrong).toHaveAttribute('aria-checked', 'true');
  await expect(page.getByRole('region', {name: 'Trap & emulate'})).toContainText('it did not trap');
  await page.keyboard.press('End');
  const printed = page.getByLabel('Printed so far');
  await expect(printed).toHaveText(/IF 1\s+POPF 1/);
  await page.keyboard.press('ArrowDown');
  await expect(printed).toHaveText(/IF 0\s+POPF 1/);
  await page.keyboard.press('ArrowLeft');
  await expect(page.getByText(/^78 \/ 79$/)).toBeVisible();
  expect(await accessibilityTrouble(page)).toEqual([]);
  await lab.shot('compare');
  await page.getByRole('button', {name: 'Open this machine in the lab, here'}).click();
  await lab.ready();
  await expect(page.getByLabel('Machine')).toHaveValue('binary-translation');
  expect(lab.troubles).toEqual([]);
});

test('a guest that is a hypervisor is compared with nothing, and Escape leads back', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open('#v1/bare/tiny-vmx');
  await page.getByRole('button', {name: 'Compare'}).click();
  await expect(page.getByRole('radiogroup', {name: 'Machines'}).getByRole('radio')).toHaveCount(1);
  await page.keyboard.press('Escape');
  await expect(lab.stage).toBeVisible();
});
