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

test('a guest that is a hypervisor runs on one machine, each other says why not, and Escape leads back', async ({
  page,
}) => {
  const lab = new LabPage(page);
  await lab.open('#v1/bare/tiny-vmx');
  await page.getByRole('button', {name: 'Compare'}).click();
  const lanes = page.getByRole('radiogroup', {name: 'Machines'}).getByRole('radio');
  await expect(lanes).toHaveCount(7);
  await expect(lanes.filter({hasText: 'hypervisor itself'})).toHaveCount(6);
  await expect(lanes.filter({hasText: 'reference'})).toHaveCount(1);
  await page.keyboard.press('Escape');
  await expect(lab.stage).toBeVisible();
});

test('keys move what is compared and never the lab behind it; the address keeps the place', async ({page}) => {
  const lab = new LabPage(page);
  await page.goto('/#v3/vtx-ept/rings/;compare=bare,vtx-ept,no-such:30:vtx-ept');
  const lanes = page.getByRole('radiogroup', {name: 'Machines'}).getByRole('radio');
  await expect(lanes.filter({hasText: 'right'})).toHaveCount(1, {timeout: 20_000});
  await expect(lanes).toHaveCount(2);
  await expect(lanes.nth(1)).toHaveAttribute('aria-checked', 'true');
  const at = (instruction: number) => page.getByText(new RegExp(`^${instruction} / 75$`));
  await expect(at(30)).toBeVisible();
  const behind = () =>
    page.evaluate(() => JSON.stringify(Reflect.get(document.querySelector('hs-lab') ?? {}, 'lab')?.moment?.index));
  const before = await behind();

  // IRETQ to the program, SYSCALL, SYSRET, #GP: the ring changes of the reference; then back by one.
  for (const [key, instruction] of [
    ['r', 55],
    ['r', 57],
    ['Shift+R', 56],
    ['u', 75],
    ['Home', 0],
  ] as const) {
    await page.keyboard.press(key);
    await expect(at(instruction), key).toBeVisible();
  }
  await page.keyboard.press('e');
  await expect(at(0)).toBeHidden();
  await page.keyboard.press('Shift+E');
  await expect(at(0)).toBeVisible();
  // Find, breakpoint, edit, switches, the inspector, the next find: nothing of the lab's.
  for (const key of ['/', 'x', 'd', 'w', 'i', 'n', 'm']) await page.keyboard.press(key);
  await expect(at(0)).toBeVisible();
  await expect(page.getByRole('dialog')).toHaveCount(0);

  await page.keyboard.press('>');
  await page.keyboard.press('Space');
  await expect(page.getByRole('button', {name: 'Pause · ×4'})).toBeVisible();
  await expect(at(0)).toBeHidden();
  await page.keyboard.press('Space');
  await expect(page.getByRole('button', {name: 'Play', exact: true})).toBeVisible();
  await page.keyboard.press('g');
  await expect(page.getByRole('heading', {name: 'Go to instruction'})).toBeVisible();
  await page.keyboard.type('42');
  await page.keyboard.press('Enter');
  await expect(at(42)).toBeVisible();
  await page.keyboard.press('ArrowUp');
  await expect(lanes.first()).toHaveAttribute('aria-checked', 'true');
  await page.keyboard.press('?');
  await expect(page.getByRole('heading', {name: 'Keys while machines are compared, and colours'})).toBeVisible();
  await page.keyboard.press('Escape');
  await expect.poll(() => page.evaluate(() => location.hash)).toContain(';compare=bare,vtx-ept:42:bare');
  expect(await behind()).toBe(before);

  // Another machine of the lab's: what was compared is not what is open any more.
  await page.getByLabel('Machine', {exact: true}).selectOption('bare');
  await lab.ready();
  expect(lab.troubles).toEqual([]);
});
