// A newcomer's first minute: the page opens with a guest that is already recorded; one press shows a VM exit and why.

import {expect, test} from '@playwright/test';
import {LabPage} from './lab-page.js';

test('open, next exit, see why, step back, and real KVM beside it', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open();
  await expect(lab.code).toContainText('mov dx, 0x3f8');
  await expect(lab.stage.locator('td.here')).toContainText('guest kernel');
  await expect(lab.hint).toContainText('Start here');
  await lab.shot('first-minute-1-open');

  await lab.nextExit.click();
  await expect(lab.stage.locator('.card')).toContainText('30 I/O instruction');
  await expect(lab.stage.locator('.card')).toContainText('425 cycles, by the model Westmere (2010)');
  await expect(lab.hint).toContainText('step by step');
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

  await expect(lab.hint).toBeHidden();

  await lab.realKvm.click();
  await expect(page.locator('hs-compare-table tbody tr').first()).toBeVisible();
  await expect(page.locator('hs-real-kvm-view')).toContainText('KVM_EXIT_IO');
  await lab.shot('first-minute-3-real-kvm');
  await expect(page.locator('hs-beside')).toContainText('the same');
  expect(lab.troubles).toEqual([]);
});

test('every guest opens at its own first instruction, and one press leads to its first exit', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open();
  for (const [guest, first] of [
    ['hello-real', 'I/O instruction'],
    ['popf', 'I/O instruction'],
    ['rings', 'RDMSR'],
  ] as const) {
    await page.getByLabel('Guest', {exact: true}).selectOption(guest);
    await lab.ready();
    await expect(lab.stage.locator('td.here')).toContainText('guest kernel');
    const start = await lab.step();
    await page.keyboard.press('e');
    await expect(lab.stage.locator('.card')).toContainText(first);
    await expect(lab.why.locator('.decisive')).toHaveCount(1);
    await page.keyboard.press('Home');
    await expect.poll(() => lab.step()).toBe(start);
    await page.keyboard.press('Home');
    await expect.poll(() => lab.step()).toBe(0);
  }
});

test('the whole of why an exit happened can be read beside the real run, by scrolling that panel alone', async ({
  page,
}) => {
  await page.setViewportSize({width: 1600, height: 1000});
  const lab = new LabPage(page);
  await lab.open();
  await page.keyboard.press('e');
  await page.keyboard.press('k');
  await expect(page.locator('hs-beside')).toBeVisible();
  await expect(lab.why.locator('li.decided')).toBeInViewport({ratio: 1});
  await lab.why.locator('summary').first().scrollIntoViewIfNeeded();
  await expect(lab.why.locator('summary').first()).toBeInViewport({ratio: 1});
  await expect(lab.stage.getByRole('img')).toBeInViewport({ratio: 1});
  await expect(lab.nextExit).toBeInViewport({ratio: 1});
});

test('nothing on the stage covers the rings: the card stands between them', async ({page}) => {
  const lab = new LabPage(page);
  for (const [width, height] of [
    [1024, 768],
    [1600, 1000],
    [1920, 1080],
  ] as const) {
    await page.setViewportSize({width, height});
    await lab.open();
    await page.keyboard.press('e');
    await expect(lab.stage.locator('.card')).toContainText('I/O instruction');
    const card = await lab.stage.locator('.card').boundingBox();
    const rings = await lab.stage
      .locator('circle.band')
      .evaluateAll(circles => circles.map(circle => circle.getBoundingClientRect().toJSON()));
    for (const ring of rings) {
      const apart = card !== null && (card.x >= ring.right || card.x + card.width <= ring.left);
      expect(apart, `${width} × ${height}`).toBe(true);
    }
  }
});

test('the arrows of SYSCALL, #GP and ioctl carry their names', async ({page}) => {
  const lab = new LabPage(page);
  for (const [link, name] of [
    ['vtx-ept/rings/170', /syscall · ring 3 → 0/i],
    ['vtx-ept/rings/187', /#GP · ring 3 → 0/],
    ['vtx-ept/rings/186', /sysret · ring 0 → 3/i],
    ['vtx-ept/hello-kvm/1', /ioctl\(KVM_CREATE_VM\)/],
    ['vtx-ept/hello-kvm/82', /ioctl\(KVM_RUN\)/],
  ] as const) {
    await page.goto(`/#v1/${link}`);
    await page.reload();
    await lab.ready();
    await expect(lab.stage.locator('text.leg-name.now')).toHaveText(name);
  }
});

test('the cycles say which processor they are modelled on, and which figures are assumed', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open();
  await page.getByRole('button', {name: /cycles modelled on Westmere/}).click();
  const table = page.getByRole('dialog', {name: /Cycles modelled on/});
  await expect(table).toContainText('USENIX ATC 2012');
  await expect(table).toContainText('assumed');
  await lab.shot('cost-figures');
  await page.keyboard.press('Escape');
  await expect(table).toBeHidden();
});

test('the guest prints the same at the end of every machine', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open();
  await page.getByRole('button', {name: 'To the end (End)'}).click();
  await expect(lab.console).toContainText('Hi');
  const onVtx = await lab.console.innerText();
  await page.getByLabel('Machine').selectOption('bare');
  await lab.ready();
  await page.getByRole('button', {name: 'To the end (End)'}).click();
  await expect(lab.console).toContainText('Hi');
  expect(await lab.console.innerText()).toBe(onVtx);
  await lab.shot('bare-metal');
});

test('every guest opens, steps and ends with an outcome, on several machines', async ({page}) => {
  test.setTimeout(120_000); // some twenty runs to their ends
  const lab = new LabPage(page);
  await lab.open();
  const shown = await page
    .getByLabel('Guest', {exact: true})
    .locator(':scope > option')
    // The last choice is no guest: it opens a file.
    .evaluateAll(options => options.map(option => option.getAttribute('value') ?? '').filter(id => !id.includes(' ')));
  expect(shown.length).toBeGreaterThanOrEqual(4);
  // The cards are made from one template: one of them stands for all. On the other machines a few guests stand for the rest, which
  // tests without a browser run on every machine.
  const guests = [...shown, 'card-popf'];
  const few = guests.filter(guest => ['mini-os', 'tiny-vmx', 'card-popf'].includes(guest));
  expect(few).toHaveLength(3);
  for (const technique of ['vtx-ept', 'bare', 'svm-shadow']) {
    for (const guest of technique === 'vtx-ept' ? guests : few) {
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
  await expect.poll(() => lab.step()).toBeLessThan(late);
});
