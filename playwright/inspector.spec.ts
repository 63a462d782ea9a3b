// The inspector's panels as a student uses them: an address is followed, a byte tells who wrote it, tables, TLB, devices and
// counters belong to the moment under the playhead.

import {expect, test} from '@playwright/test';
import {accessibilityTrouble} from './accessibility.js';
import {LabPage} from './lab-page.js';

const PANELS = [
  'Registers',
  'vCPU',
  'GDT, IDT, TSS',
  'TLB',
  'Memory',
  'Page walk',
  'VMCS',
  'kvm_run',
  'Exits',
  'Devices',
  'Statistics',
];

// Each element is asked about alone in every theme (packages/elements/src/panels); here, in one, beside everything else.
test('every panel is accessible, and fits a small projector', async ({page}) => {
  test.slow();
  await page.emulateMedia({colorScheme: 'dark', reducedMotion: 'reduce'});
  await page.setViewportSize({width: 1024, height: 768});
  const lab = new LabPage(page);
  await lab.open('#v1/vtx-ept/hello-kvm/106');
  for (const name of PANELS) {
    const tab = page.getByRole('tab', {name, exact: true});
    await tab.click();
    await expect(tab).toHaveAttribute('aria-selected', 'true');
    await expect(page.locator('hs-inspector [role=tabpanel]')).not.toContainText(/Asking|Loading|Counting/);
    expect(await accessibilityTrouble(page), name).toEqual([]);
    await lab.shot(`panel-${name.toLowerCase().replaceAll(/\W+/g, '-')}`);
  }
  expect(lab.troubles).toEqual([]);
});

test('a register is followed into memory, its byte tells who wrote it, and time goes there', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open('#v1/vtx-ept/mini-os/2500');
  const row = page.locator('hs-register-file .row').filter({has: page.locator('dt', {hasText: /^RSP$/})});
  await row.getByRole('button').click();
  await expect(page.getByRole('tab', {name: 'Memory'})).toHaveAttribute('aria-selected', 'true');
  await page.getByRole('button', {name: 'Who last wrote this byte?'}).click();
  const told = page.locator('hs-memory .writer');
  await expect(told).toContainText(/Step \d+, the guest kernel, .* wrote it/);
  await told.getByRole('button', {name: /^Go to step/}).click();
  const step = Number(/Step (\d+)/.exec(await told.innerText())?.[1] ?? NaN);
  await expect.poll(() => lab.step()).toBe(step);
  expect(lab.troubles).toEqual([]);
});

test('the keys walk through memory and back to where one looked', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open('#v1/bare/rings/40');
  await page.getByRole('tab', {name: 'Memory'}).click();
  const box = page.getByRole('textbox', {name: 'Address'});
  await box.fill('nowhere');
  await box.press('Enter');
  await expect(page.locator('hs-address-box')).toContainText('“nowhere” is no address');
  await box.fill('8000');
  await box.press('Enter');
  const chosen = page.locator('hs-memory td[aria-selected=true]');
  await expect(chosen).toHaveAttribute('title', /^0x8000/);
  await chosen.focus();
  for (const key of ['ArrowRight', 'ArrowDown', 'PageDown']) await page.keyboard.press(key);
  await expect(chosen).toBeFocused();
  await expect(chosen).toHaveAttribute('title', /^0x81(?:09|11)/);
  await box.fill('idtr');
  await box.press('Enter');
  await page.getByRole('button', {name: 'Back', exact: true}).click();
  await expect(chosen).toHaveAttribute('title', /^0x81(?:09|11)/);
});

test('any address is walked on demand, and the doctor says whether VM entry would succeed', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open('#v1/vtx-ept/hello-kvm/106');
  await page.getByRole('tab', {name: 'Page walk'}).click();
  const box = page.getByRole('textbox', {name: 'Address'});
  await box.fill('7fff_0000_0000');
  await box.press('Enter');
  await expect(page.locator('hs-walk-view')).toContainText('ends in a page fault');
  await page.getByRole('button', {name: 'Show the processor’s last walk'}).click();
  await expect(page.locator('hs-page-walk')).toContainText('= 19 reads');
  await page.getByRole('tab', {name: 'VMCS'}).click();
  await page.getByRole('button', {name: 'Would VM entry succeed now?'}).click();
  await expect(page.locator('hs-entry-doctor')).toContainText(/VMRESUME would enter the guest: all \d+ checks hold/);
});

test('without hardware the virtual CPU stands beside the real one, and there is no VMCS', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open('#v1/trap-and-emulate/mini-os/3000');
  await expect(page.getByRole('tab', {name: 'VMCS'})).toHaveCount(0);
  await expect(page.locator('hs-register-file')).not.toContainText('VMX');
  await page.getByRole('tab', {name: 'vCPU'}).click();
  await expect(page.locator('hs-virtual-cpu')).toContainText('The guest believes');
  await page.getByRole('tab', {name: 'GDT, IDT, TSS'}).click();
  await expect(page.locator('hs-descriptor-tables')).toContainText('The VMM’s, which the processor uses');
});

test('at a small size a menu has every panel', async ({page}) => {
  await page.setViewportSize({width: 1024, height: 768});
  const lab = new LabPage(page);
  await lab.open();
  await page.getByRole('combobox', {name: 'All panels'}).selectOption('Statistics');
  await expect(page.getByRole('tab', {name: 'Statistics'})).toBeInViewport();
  await expect(page.locator('hs-statistics')).toContainText('Who had the processor');
});

test('in a hall the inspector is shown large, steps go on under it, and Escape brings the stage back', async ({
  page,
}) => {
  const lab = new LabPage(page);
  await lab.open('#v1/vtx-ept/mini-os/2500');
  await page.getByRole('tab', {name: 'VMCS'}).click();
  await page.keyboard.press('p');
  await expect(page.locator('hs-inspector')).toBeHidden();
  await page.keyboard.press('i');
  await expect(page.locator('hs-vmcs')).toBeInViewport();
  await page.keyboard.press('e');
  await expect(page.locator('hs-vmcs')).toContainText('The last step changed');
  await page.keyboard.press('Escape');
  await expect(page.locator('hs-inspector')).toBeHidden();
  await expect(page.locator('hs-lab')).toHaveAttribute('presenting');
});

test('what the TLB answered is told for a step, and counted over many when asked', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open('#v1/bare/rings/40');
  await page.getByRole('tab', {name: 'TLB'}).click();
  const lookups = page.locator('hs-tlb-lookups');
  await expect(lookups).toContainText(/The last step needed \d+ translation/);
  await lookups.locator('summary').click();
  await lookups.getByRole('button', {name: 'Count hits over the last 40 steps'}).click();
  await expect(lookups).toContainText(/The last 40 steps needed \d+ translations: the TLB answered \d+/);
  expect(lab.troubles).toEqual([]);
});

test('a ported kernel leads to what the port changed, by the keyboard', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open('#v1/paravirtual/mini-os-pv/300');
  await page.getByRole('button', {name: 'Port…'}).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', {name: 'What the port changed'});
  await expect(dialog).toContainText('sensitive instructions gone');
  await expect(dialog).toContainText('MOV CR3');
  await expect(dialog).toContainText('set_trap_table');
  expect(await accessibilityTrouble(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  expect(lab.troubles).toEqual([]);
});
