// A student changes a guest in the page, breaks it, repairs it, and goes back; the editor is not part of the first load.

import {readFileSync} from 'node:fs';
import {expect, test} from '@playwright/test';
import {accessibilityTrouble} from './accessibility.js';
import {LabPage} from './lab-page.js';

test('edit, run, break, repair, and back to the original', async ({page}) => {
  test.slow(); // a run on real KVM is in it, where there is one
  const lab = new LabPage(page);
  const loaded: string[] = [];
  page.on('request', request => loaded.push(request.url()));
  await lab.open();
  expect(loaded.some(url => url.includes('source-editor'))).toBe(false);
  await page.keyboard.press('d');
  const text = page.getByRole('textbox', {name: /Assembly source/});
  await expect(text).toBeFocused();
  await expect(page.locator('.cm-bytes')).toContainText('66 ba f8 03');
  await expect(page.locator('.cm-running')).toContainText('mov dx, COM1');

  // The page's keys are letters of the text here: e would be the next exit, k real KVM.
  const before = await lab.step();
  await page.locator('.cm-line', {hasText: "mov al, 'i'"}).click();
  await page.keyboard.press('Home');
  await page.keyboard.press('Shift+End');
  await page.keyboard.type("mov al, 'e' ; ek");
  await expect(page.getByText('● unsaved')).toBeVisible();
  await page.keyboard.press('Control+Enter');
  await expect(page.getByText('This is the text that runs.')).toBeVisible();
  expect(await lab.step()).toBe(before);

  await page.keyboard.press('Escape');
  await page.keyboard.press('End');
  await expect(lab.console).toContainText('He');
  await lab.shot('editing-1-ran');

  await page.locator('.cm-line', {hasText: "mov al, 'e'"}).click();
  await page.keyboard.press('End');
  await page.keyboard.type('\nmovv eax, 1');
  await expect(page.locator('.cm-sentence')).toContainText("'movv' is not an instruction.");
  await expect(page.locator('.cm-sentence')).toContainText('Did you mean');
  await page.keyboard.press('Escape');
  await page.getByRole('button', {name: 'Assemble and run'}).click();
  await expect(page.getByRole('status').filter({hasText: 'the run before it stays'})).toContainText(
    'One error, line 22',
  );
  await expect(lab.console).toContainText('He');
  await lab.shot('editing-2-error');
  for (const theme of ['light', 'dark', 'contrast']) {
    await page.getByLabel('Theme').selectOption(theme);
    expect(await accessibilityTrouble(page), theme).toEqual([]);
  }

  await lab.realKvm.click();
  await expect(page.locator('hs-real-kvm-view')).toContainText(/Real KVM on this machine|this is another one/);

  await page.getByRole('button', {name: 'Back to the original'}).click();
  await expect(lab.console).toContainText('Hi');
  await expect(page.locator('.cm-sentence')).toHaveCount(0);
  await page.getByRole('button', {name: 'Done'}).click();
  await expect(page.locator('hs-code-view')).toBeVisible();
  expect(lab.troubles).toEqual([]);
});

test('a draft outlives another machine and another guest; completion offers what the manual calls it', async ({
  page,
}) => {
  const lab = new LabPage(page);
  await lab.open();
  await page.getByRole('button', {name: 'Edit', exact: true}).click();
  await page.locator('.cm-line', {hasText: "mov al, 'H'"}).click();
  await page.keyboard.press('Home');
  await page.keyboard.press('Shift+End');
  await page.keyboard.type("mov al, 'J' ; no\nlah");
  await expect(page.locator('.cm-tooltip-autocomplete')).toContainText('Load Status Flags');
  // A list that has just opened under the hands takes no Enter for a moment.
  await page.waitForTimeout(200);
  await page.keyboard.press('Enter');
  await expect(page.locator('.cm-activeLine')).toHaveText(/lahf$/);
  await page.keyboard.press('Control+Enter');
  await expect(page.getByText('This is the text that runs.')).toBeVisible();
  await page.getByLabel('Machine').selectOption('svm-npt');
  await lab.ready();
  await page.keyboard.press('End');
  await expect(lab.console).toContainText('Ji');
  await page.getByLabel('Guest', {exact: true}).selectOption('popf');
  await lab.ready();
  await expect(page.locator('.cm-content')).not.toContainText("mov al, 'J'");
  await page.getByLabel('Guest', {exact: true}).selectOption('hello-kvm');
  await lab.ready();
  await expect(page.locator('.cm-content')).toContainText("mov al, 'J'");
  expect(lab.troubles).toEqual([]);
});

test('a text is saved to a file and opened from one; what is no text is refused in words', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open();
  await page.keyboard.press('d');
  await page.getByRole('textbox', {name: /Assembly source/}).press('Control+Home');
  await page.keyboard.type('; mine');
  const download = page.waitForEvent('download');
  await page.keyboard.press('Control+s');
  const file = await download;
  expect(file.suggestedFilename()).toBe('hello-kvm.asm');
  expect(readFileSync(await file.path(), 'utf8')).toMatch(/^; mine; hello-kvm/);
  await expect(page.getByText('● unsaved')).toBeHidden();

  const input = page.locator('input[type=file]');
  const source = 'bits 64\r\norg 0x8000\r\nmov dx, 0x3f8\r\nmov al, 33\r\nout dx, al\r\nhlt\r\n';
  await input.setInputFiles({name: 'short.asm', mimeType: 'text/plain', buffer: Buffer.from(source)});
  await expect(page.getByText('short.asm is in the editor.')).toBeVisible();
  await page.getByRole('button', {name: 'Assemble and run'}).click();
  await expect(page.getByText('This is the text that runs.')).toBeVisible();
  await page.getByRole('button', {name: 'To the end (End)'}).click();
  await expect(lab.console).toContainText('!');
  await input.setInputFiles({name: 'kernel.bin', mimeType: 'application/octet-stream', buffer: Buffer.of(0, 255, 254)});
  await expect(page.getByText('kernel.bin cannot be read as text')).toBeVisible();
  await expect(page.locator('.cm-content')).toContainText('mov al, 33');
  expect(lab.troubles).toEqual([]);
});

test('an edited hypervisor that forgets a bit meets the doctor', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open('#v1/bare/tiny-vmx/0');
  const source = page.getByRole('textbox', {name: /Assembly source/});
  await page.keyboard.press('d');
  await expect(source).toBeFocused();
  await page.keyboard.press('Control+f');
  await page.keyboard.type('field 0x6820, 2');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await page.keyboard.type('field 0x6820, 0');
  await page.keyboard.press('Control+Enter');
  await expect(page.getByText('This is the text that runs.')).toBeVisible();
  await page.keyboard.press('Escape');
  await page.keyboard.press('e');
  await expect(lab.why).toContainText('VM entry failed');
  await expect(lab.why).toContainText('RFLAGS');
  await page.keyboard.press('End');
  await expect(lab.console).toContainText('exit 80000021');
  await lab.shot('editing-3-doctor');
  expect(lab.troubles).toEqual([]);
});
