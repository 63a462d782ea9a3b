// Time under the hand, without a mouse: find, select, stop at breakpoints both ways, look inside an instruction, play.

import {expect, test} from '@playwright/test';
import {accessibilityTrouble} from './accessibility.js';
import {LabPage} from './lab-page.js';

test('find, jump from find to find, stop at a breakpoint forwards and backwards, select a stretch', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open('#v1/vtx-ept/rings');
  await page.keyboard.press('/');
  await page.keyboard.type('exit 30');
  await page.keyboard.press('Enter');
  const finds = page.locator('hs-finds');
  await expect(finds.getByRole('status')).toContainText(/^\d+ found$/);
  const count = Number(/\d+/.exec(await finds.getByRole('status').innerText())?.[0]);
  expect(count).toBeGreaterThan(1);
  await expect(finds.getByRole('listitem')).toHaveCount(count);
  await page.keyboard.press('Escape');
  await expect(finds).toBeHidden();

  await page.keyboard.press('e');
  await expect(lab.stage.locator('.card')).toContainText('VM exit');
  const exit = await lab.step();
  await page.keyboard.press('ArrowLeft');
  await expect.poll(() => lab.step()).toBe(exit - 1);
  await page.keyboard.press('x');
  await expect(page.locator('hs-breakpoints li')).toHaveCount(1);
  await page.keyboard.press('Home');
  await expect.poll(() => lab.step()).toBeLessThan(exit - 1);
  await page.keyboard.press('u');
  await expect.poll(() => lab.step()).toBe(exit - 1);
  await page.keyboard.press('End');
  await expect.poll(() => lab.step()).toBeGreaterThan(exit);
  await page.keyboard.press('Shift+U');
  await expect.poll(() => lab.step()).toBe(exit - 1);
  await expect(page.locator('hs-code-view .gutter.set')).toHaveCount(1);

  await lab.slider.focus();
  await page.keyboard.press('[');
  await page.keyboard.press('End');
  await expect.poll(() => lab.step()).toBeGreaterThan(exit);
  await page.keyboard.press(']');
  const totals = page.getByRole('status', {name: 'Totals of the selection'});
  await expect(totals).toContainText('cycles');
  await expect(totals).toContainText('exits: ');
  await lab.shot('time');
  expect(await accessibilityTrouble(page)).toEqual([]);
  expect(lab.troubles).toEqual([]);
});

test('an instruction is walked through by its micro-operations, and Play stops where it is told to', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open('#v1/bare/popf');
  const start = await lab.step();
  await page.keyboard.press('/');
  await page.keyboard.type('popfq');
  await page.keyboard.press('Enter');
  await expect(page.locator('hs-finds').getByRole('status')).toContainText(/^\d+ found$/);
  await page.keyboard.press('Escape');
  await page.keyboard.press('/');
  await page.locator('hs-finds').getByRole('listitem').first().getByRole('button').click();
  await expect(lab.code).toContainText('popfq');
  const before = await lab.step();
  await page.getByLabel('step by').selectOption('micro');
  const inside = page.locator('hs-micro-operations');
  await page.locator('body').press('ArrowRight');
  await expect(inside).toContainText('micro-operation 1 of');
  await page.locator('body').press('ArrowRight');
  await expect(inside).toContainText('micro-operation 2 of');
  expect(await lab.step()).toBe(before);
  await expect(inside).toContainText('writes');
  await lab.shot('micro-operations');

  await page.getByLabel('step by').selectOption('instruction');
  await page.keyboard.press('Home');
  await expect.poll(() => lab.step()).toBe(start);
  await page.getByLabel(/^Speed of Play/).selectOption('×64');
  await page.locator('body').press('Space');
  await expect.poll(() => lab.step(), {timeout: 8000}).toBeGreaterThan(start + 20);
});
