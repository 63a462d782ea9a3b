// A lecture, and a student alone: scenarios and switches as they are used.

import {expect, test} from '@playwright/test';
import {accessibilityTrouble} from './accessibility.js';
import {LabPage} from './lab-page.js';

test('a lecture with only the arrow keys', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open();
  await page.keyboard.press('s');
  await expect(page.getByRole('heading', {name: 'Scenarios'})).toBeVisible();
  await page.locator('[data-scenario="d6-popf"]').focus();
  await page.keyboard.press('Enter');
  await expect(page.getByText('Afterwards you know')).toBeVisible();
  await page.keyboard.press('p');
  const title = page.locator('hs-scenario h2');
  await page.keyboard.press('ArrowRight');
  await expect(title).toHaveText('The kernel begins, outside ring 0');
  await page.keyboard.press('ArrowRight');
  await expect(title).toHaveText('PUSHF shows the real IF');
  await expect(page.getByText('What do you think?')).toBeVisible();
  await expect(lab.why).not.toContainText('pushfq');
  // The prediction is asked before the place is shown.
  await page.keyboard.press('PageDown');
  await expect(lab.why).toContainText('pushfq');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect(lab.why).toContainText('popfq');
  await expect(lab.why).toContainText('IF keeps its value');
  expect(await accessibilityTrouble(page)).toEqual([]);
  await page.keyboard.press('ArrowLeft');
  await expect(title).toHaveText('It prints what it saw');
  await page.keyboard.press('b');
  await expect(page.locator('.blackout')).toBeVisible();
  await page.keyboard.press('b');
  await page.keyboard.press('Escape');
  await expect(page).toHaveURL(/scenario=d6-popf:3/);
  expect(lab.troubles).toEqual([]);
});

test('a student breaks and repairs', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open('#v2/trap-and-emulate/popf/;scenario=d6-popf:4');
  await expect(page.locator('hs-scenario h2')).toHaveText('POPF with IF set');
  await page.getByRole('button', {name: /Nothing traps/}).click();
  await expect(page.getByText('Right.')).toBeVisible();
  await page.getByRole('button', {name: /every sensitive instruction traps/}).click();
  await expect(page.locator('.changed-bar')).toContainText('Every sensitive instruction traps: yes');
  await expect(page.locator('hs-run-change')).toContainText('now out 0x30');
  await page.locator('.broken').getByRole('button', {name: 'Repair it'}).click();
  await expect(page.locator('.changed-bar')).toBeHidden();
  await expect(lab.why).toContainText('popfq');
  expect(lab.troubles).toEqual([]);
});

test('a switch runs the guest again, says what changed, and stays visible until it is set back', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open();
  await page.keyboard.press('w');
  await page.getByRole('searchbox').fill('HLT');
  await page.locator('select[data-switch="hlt-exiting"]').selectOption('off');
  await expect(page.locator('hs-run-change')).toContainText('HLT');
  await expect(page.locator('.changed-bar')).toContainText('HLT exiting: off');
  expect(await accessibilityTrouble(page)).toEqual([]);
  await expect(page).toHaveURL(/#v2\/vtx-ept\/hello-kvm\/\d+;switches=hlt-exiting:off/);
  await page.locator('.changed-bar').getByRole('button', {name: 'Back to normal'}).click();
  await expect(page.locator('.changed-bar')).toBeHidden();
  expect(lab.troubles).toEqual([]);
});

test('a link to a switch that there is not opens the lab all the same, with a sentence', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open('#v2/bare/popf/3;switches=hlt-exiting:off');
  await expect(page.getByText(/no switch hlt-exiting on bare/)).toBeVisible();
});

test('the questions of a set are asked by a link, made by running, answered by the keyboard, and kept', async ({
  page,
}) => {
  const lab = new LabPage(page);
  await lab.open('#v3/trap-and-emulate/popf/;scenario=d6-popf:8;set=3');
  await expect(page.getByRole('heading', {name: 'Set 3', exact: true})).toBeVisible();
  const first = page.getByRole('region', {name: 'Question 4, set 3'});
  await expect(first).toContainText('It executes POPF with an image in which IF is 1');
  expect(await accessibilityTrouble(page)).toEqual([]);
  await first.getByRole('button', {name: /IF stays 0/}).focus();
  await page.keyboard.press('Enter');
  await expect(first).toContainText(/Right\.|Not so\./);
  await first.getByRole('button', {name: 'Show this run'}).click();
  await expect(lab.why).toContainText('hlt');
  await expect(page).toHaveURL(/;set=3/);
  await page.getByRole('button', {name: 'Another set'}).click();
  await expect(page.getByRole('region', {name: 'Question 4, set 4'})).toContainText('What happens?');
  await expect(page.getByRole('region', {name: 'Question 4, set 4'})).not.toContainText('Not so.');
  await page.getByLabel('Set', {exact: true}).fill('3');
  await page.keyboard.press('Tab');
  await expect(first).toContainText(/Right\.|Not so\./);
  expect(lab.troubles).toEqual([]);
});
