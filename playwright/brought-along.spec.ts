// What readers bring along: a program in a link, an image from their disk; and a browser that keeps nothing for them.

import {deflateRawSync} from 'node:zlib';
import {expect, test} from '@playwright/test';
import {LabPage} from './lab-page.js';

const PROGRAM = `bits 64
org 0x8000
    mov dx, 0x3f8
    mov al, 'Z'
    out dx, al
    hlt
`;

test('a link carries an edited program, and a damaged one says so', async ({page}) => {
  const lab = new LabPage(page);
  const text = deflateRawSync(PROGRAM).toString('base64url');
  await lab.open(`#v2/vtx-ept/hello-kvm/;text=${text}`);
  await expect(page.getByText('edited', {exact: true})).toBeVisible();
  await page.keyboard.press('End');
  await expect(lab.console).toHaveText(/^Z/);
  // The address carries it on.
  await expect.poll(() => page.evaluate(() => location.hash)).toContain(';text=');
  await page.goto(`/#v2/vtx-ept/hello-kvm/;text=${text.slice(0, -9)}`);
  await page.reload();
  await lab.ready();
  await expect(page.getByText(/edited program in this link is damaged/)).toBeVisible();
  expect(lab.troubles).toEqual([]);
});

test('a boot sector from the disk becomes a guest, on any machine, and stays on the reader’s side', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open();
  const sector = Buffer.alloc(512);
  sector.set([0xb0, 0x41, 0xba, 0xf8, 0x03, 0xee, 0xf4]);
  sector.set([0x55, 0xaa], 510);
  const choose = async (name: string, buffer: Buffer): Promise<void> => {
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      page.getByLabel('Guest', {exact: true}).selectOption({label: 'Open a file…'}),
    ]);
    await chooser.setFiles({name, mimeType: 'application/octet-stream', buffer});
  };
  await choose('mine.img', sector);
  await expect(page.getByText(/mine\.img is a boot sector/)).toBeVisible();
  for (const technique of ['vtx-ept', 'binary-translation']) {
    await page.getByLabel('Machine').selectOption(technique);
    await lab.ready();
    await page.keyboard.press('End');
    await expect(lab.console).toHaveText(/^A/);
  }
  expect(await page.evaluate(() => location.hash)).toBe('');
  await choose('notes.txt', Buffer.from('hello'));
  await expect(page.getByText(/notes\.txt does not say how it starts/)).toBeVisible();
  expect(lab.troubles).toEqual([]);
});

test('without storage the lab works, and forgets', async ({page}) => {
  await page.addInitScript(() => {
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB'])
      Object.defineProperty(window, name, {
        get: () => {
          throw new DOMException('storage is off', 'SecurityError');
        },
      });
  });
  const lab = new LabPage(page);
  await lab.open();
  await page.keyboard.press('e');
  await expect(lab.why).toContainText('left the guest');
  await page.getByLabel('Theme').selectOption('dark');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  expect(lab.troubles).toEqual([]);
});
