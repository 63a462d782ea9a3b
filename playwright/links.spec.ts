// Any moment has a link; a link from anybody is harmless.

import {readFile} from 'node:fs/promises';
import {expect, test} from '@playwright/test';
import {accessibilityTrouble} from './accessibility.js';
import {LabPage} from './lab-page.js';

test('a moment is shared and comes back', async ({page, context}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const lab = new LabPage(page);
  await lab.open();
  await page.keyboard.press('e');
  await expect.poll(() => lab.step()).toBeGreaterThan(0);
  const step = await lab.step();
  await page.getByRole('button', {name: 'Share'}).click();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).toContain(`#v1/vtx-ept/hello-kvm/${step}`);
  const other = new LabPage(await context.newPage());
  await other.page.goto(link);
  await other.ready();
  expect(await other.step()).toBe(step);
});

for (const fragment of [
  '#v1/vtx-ept/<img src=x onerror=alert(1)>/1',
  '#v1/vtx-ept/hello-kvm/1e9',
  '#v1/vtx-ept/no-such-guest/3',
  '#v9/future',
  '#constructor',
]) {
  test(`the link ${fragment} opens the lab where the guest begins and says why`, async ({page}) => {
    const dialogs: string[] = [];
    page.on('dialog', dialog => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    const lab = new LabPage(page);
    await lab.open(fragment);
    await expect(lab.code).toContainText('mov dx, 0x3f8');
    await expect(page.locator('.notice')).toBeVisible();
    expect(dialogs).toEqual([]);
    expect(lab.troubles).toEqual([]);
  });
}

test('a step far beyond the end shows the end', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open('#v1/vtx-ept/hello-kvm/999999999');
  const text = await lab.position.innerText();
  expect(text).toMatch(/step (\S+) \/ \1/);
});

test('a changed fragment is followed without loading the page again', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open();
  await page.evaluate(() => {
    location.hash = '#v1/bare/hello-real/2';
  });
  await expect(page.getByLabel('Guest', {exact: true})).toHaveValue('hello-real');
  await lab.ready();
  expect(await lab.step()).toBe(2);
});

test('a panel is saved as a picture, and the HTML for a page of one’s own is there', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open('#v1/vtx-ept/hello-kvm/88');
  await page.getByRole('button', {name: 'Share'}).click();
  await expect(page.getByLabel('HTML')).toHaveValue(/<hyperscope-lab technique="vtx-ept" guest="hello-kvm" step="88"/);
  await page.getByLabel('Panel to save').selectOption({label: 'Stage'});
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', {name: 'Save SVG'}).click(),
  ]);
  expect(download.suggestedFilename()).toBe('hyperscope-hello-kvm-vtx-ept-88-stage.svg');
  const svg = await readFile(await download.path(), 'utf8');
  expect(svg).toContain('root operation');
  expect(svg).not.toContain('foreignObject');
  expect(await accessibilityTrouble(page)).toEqual([]);
});
