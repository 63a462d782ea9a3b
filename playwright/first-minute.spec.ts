// A newcomer's first minute: the page opens with a guest that is already recorded; one press shows a VM exit and why.

import {expect, test} from '@playwright/test';
import {LabPage} from './lab-page.js';

test('open, next exit, see why, step back, and real KVM beside it', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open();
  expect(await lab.step()).toBe(0);
  await lab.shot('first-minute-1-open');

  await lab.exitNamed(/I\/O instruction/);
  await expect(lab.stage).toContainText('port 0x3f8');
  await expect(lab.why).toContainText('decided');
  const atExit = await lab.step();
  await lab.shot('first-minute-2-exit');

  await lab.back.click();
  await expect.poll(() => lab.step()).toBe(atExit - 1);
  await expect(lab.stage).not.toContainText('VM exit · 30');
  await lab.forward.click();
  await expect.poll(() => lab.step()).toBe(atExit);
  await expect(lab.stage).toContainText('VM exit · 30');

  await lab.realKvm.click();
  await expect(page.locator('hs-compare-table tbody tr').first()).toBeVisible();
  await expect(page.locator('hs-real-kvm-view')).toContainText('KVM_EXIT_IO');
  await lab.shot('first-minute-3-real-kvm');
  await expect(page.locator('hs-beside')).toContainText('the same');
  expect(lab.troubles).toEqual([]);
});

test('the guest prints the same at the end of every machine', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open();
  await page.getByRole('button', {name: 'To the end (End)'}).click();
  await expect(lab.console).toContainText('Hi');
  const onVtx = await lab.console.innerText();
  await page.getByRole('button', {name: 'No hypervisor'}).click();
  await lab.ready();
  await page.getByRole('button', {name: 'To the end (End)'}).click();
  await expect(lab.console).toContainText('Hi');
  expect(await lab.console.innerText()).toBe(onVtx);
  await lab.shot('bare-metal');
});

test('every guest on every machine opens, steps and ends with an outcome', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open();
  const guests = await page
    .getByLabel('Guest', {exact: true})
    .locator('option')
    .evaluateAll(options => options.map(option => option.getAttribute('value') ?? ''));
  expect(guests.length).toBeGreaterThanOrEqual(4);
  for (const technique of ['vtx-ept', 'bare']) {
    for (const guest of guests) {
      await page.goto(`/#v1/${technique}/${guest}/0`);
      await page.reload();
      await lab.ready();
      await lab.forward.click();
      await expect.poll(() => lab.step()).toBe(1);
      await page.keyboard.press('End');
      await expect(page.locator('.outcome')).toBeVisible();
      await lab.shot(`end-of-${guest}-${technique}`);
    }
  }
  expect(lab.troubles).toEqual([]);
});

test('dragging the playhead moves every panel', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open();
  const box = await lab.slider.boundingBox();
  expect(box).not.toBeNull();
  if (box === null) return;
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * 0.1, y);
  await page.mouse.down();
  for (let share = 0.1; share <= 0.9; share += 0.05) await page.mouse.move(box.x + box.width * share, y);
  await page.mouse.up();
  await expect.poll(() => lab.step()).toBeGreaterThan(5);
  const late = await lab.step();
  await page.mouse.move(box.x + box.width * 0.5, y);
  await page.mouse.wheel(0, -600);
  await page.keyboard.press('Home');
  await expect.poll(() => lab.step()).toBe(0);
  expect(late).toBeGreaterThan(0);
});
