// Any moment has a link; a link from anybody is harmless.

import {readFile} from 'node:fs/promises';
import {expect, test} from '@playwright/test';
import {accessibilityTrouble} from './accessibility.js';
import {LabPage} from './lab-page.js';

test('a moment is shared and comes back', async ({page, context}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const lab = new LabPage(page);
  await lab.open();
  const start = await lab.step();
  await page.keyboard.press('e');
  await expect.poll(() => lab.step()).toBeGreaterThan(start);
  const step = await lab.step();
  await page.getByRole('button', {name: 'Share'}).click();
  await expect(page.getByText('The link is in the clipboard.')).toBeVisible();
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
  '#v2/vtx-ept/hello-kvm/;switches=<img>:on',
  '#v3/vtx-ept/hello-kvm/;compare=javascript:alert(1)',
  '#v3/vtx-ept/hello-kvm/;compare=no-such-machine:9',
  '#v3/vtx-ept/hello-kvm/;look=gva:zz',
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

test('a link opens the panel, the address and present mode that it names', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open('#v2/vtx-ept/hello-kvm/88;panel=exits');
  await expect(page.getByRole('tab', {name: 'Exits'})).toHaveAttribute('aria-selected', 'true');
  // What is open now is in the address.
  await page.getByRole('tab', {name: 'VMCS'}).click();
  await expect.poll(() => page.evaluate(() => location.hash)).toBe('#v2/vtx-ept/hello-kvm/88;panel=vmcs');
  await page.evaluate(() => {
    location.hash = '#v3/vtx-ept/hello-kvm/88;panel=memory;look=gpa:8006;mode=present';
  });
  await expect(page.locator('hs-toolbar')).toBeHidden();
  await page.keyboard.press('Escape');
  await expect(page.getByLabel('Address', {exact: true})).toHaveValue('0x8006');
  await expect.poll(() => page.evaluate(() => location.hash)).toContain(';panel=memory;look=gpa:8006');
  expect(lab.troubles).toEqual([]);
});

test('a link’s theme is the link’s: the reader’s own comes back', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open();
  await page.getByLabel('Theme').selectOption('dark');
  await page.evaluate(() => {
    location.hash = '#v2/vtx-ept/hello-kvm/88;theme=contrast';
  });
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'contrast');
  await lab.ready();
  // Shared from here, it is in that theme again, where that is wanted.
  await page.getByRole('button', {name: 'Share'}).click();
  await expect(page.getByLabel('Link', {exact: true})).toHaveValue(/;theme=contrast/);
  await page.getByLabel('in this theme').uncheck();
  await page.getByLabel('in present mode').check();
  await expect(page.getByLabel('Link', {exact: true})).toHaveValue(/#v3\/vtx-ept\/hello-kvm\/88;mode=present$/);
  await page.goto('/?again');
  await lab.ready();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});

test('the element opens a program of the page’s own, with switches, and leads to the whole lab with both', async ({
  page,
}) => {
  const lab = new LabPage(page);
  const lecture = `<!doctype html><script type="module" src="/hyperscope-lab.js"></script>
    <hyperscope-lab guest="hello-kvm" panels="code console why" switches="io-exiting: unconditional" program="bits 64
      org 0x8000
      mov dx, 0x3f8
      mov al, 'Z'
      out dx, al
      hlt"></hyperscope-lab>`;
  await page.route('**/lecture.html', route => route.fulfill({contentType: 'text/html', body: lecture}));
  await page.goto('/lecture.html');
  const frame = page.frameLocator('hyperscope-lab iframe');
  await expect(frame.locator('hs-code-view')).toContainText('mov al, 0x5a');
  const whole = frame.getByRole('link', {name: 'Open in the lab'});
  await expect(whole).toHaveAttribute(
    'href',
    /#v2\/vtx-ept\/hello-kvm\/\d+;switches=io-exiting:unconditional;text=[\w-]+$/,
  );
  await page.goto(`/${(await whole.getAttribute('href')) ?? ''}`);
  await lab.ready();
  await page.keyboard.press('End');
  await expect(lab.console).toHaveText(/^Z/);
  await page.getByRole('button', {name: 'Share'}).click();
  await expect(page.getByLabel('HTML')).toHaveValue(
    / switches="io-exiting:unconditional" text="[\w-]+"><\/hyperscope-lab>$/,
  );
  expect(lab.troubles).toEqual([]);
});
