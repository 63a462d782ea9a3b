// What a lecturer takes home: a scenario as a page to print, a stretch of a run as an animated picture. Both are made by running
// the guest again, need no network, and say what the lab says.

import {readFile} from 'node:fs/promises';
import {expect, test, type Page} from '@playwright/test';
import {accessibilityTrouble} from './accessibility.js';
import {LabPage} from './lab-page.js';

/** The text of a file that the dialog has made, as it is saved. */
async function textOf(page: Page): Promise<string> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', {name: /^Save /}).click(),
  ]);
  return readFile(await download.path(), 'utf8');
}

test('a scenario becomes a page to print: each step as the lab shows it, questions, and the answers at the end', async ({
  page,
  context,
}) => {
  const lab = new LabPage(page);
  await lab.open('#v2/trap-and-emulate/popf/;scenario=d6-popf:4');
  await page.getByRole('button', {name: 'Print', exact: true}).click();
  await expect(page.getByRole('radio', {name: /POPF, the instruction/})).toBeChecked();
  expect(await accessibilityTrouble(page)).toEqual([]);
  await page.getByRole('button', {name: 'Page to print'}).click();
  const open = page.getByRole('link', {name: 'Open it, to print'});
  await expect(open).toBeVisible({timeout: 60_000});
  const [tab] = await Promise.all([context.waitForEvent('page'), open.click()]);
  await expect(tab.getByRole('heading', {name: 'POPF, the instruction that does not trap'})).toBeVisible();
  const stops = tab.locator('.stop');
  expect(await stops.count()).toBeGreaterThan(4);
  expect(await stops.locator('figure > svg[role=img]').count()).toBe(await stops.count());
  // With the check that decided there and the state that it is in.
  const popf = stops.filter({has: tab.getByRole('heading', {name: /^\d\. POPF with IF set/})});
  await expect(popf.locator('.decided')).toContainText('CPL > IOPL (CPL 3, IOPL 0)');
  await expect(popf.locator('.why h3')).toHaveText(/popfq/);
  await expect(popf.locator('.changes')).toContainText(/RSP 0x[0-9a-f]+ → 0x[0-9a-f]+/);
  await expect(popf.getByText('Nothing traps, and IF is left as it was')).toBeVisible();
  // The answers come after everything that is asked, and only there.
  const [asked, answers] = [tab.locator('.ask'), tab.locator('.answers')];
  expect(await asked.count()).toBe(await answers.locator('.answer').count());
  await expect(asked.last()).not.toContainText('privileged: outside ring 0 it is #GP');
  await expect(answers).toContainText(/\d: C, Nothing traps, and IF is left as it was/);
  await tab.emulateMedia({media: 'print'});
  await expect(tab.locator('.screen')).toBeHidden();
  expect(await answers.evaluate(element => getComputedStyle(element).breakBefore)).toBe('page');
  await tab.emulateMedia({media: 'screen'});
  expect(await accessibilityTrouble(tab)).toEqual([]);
  const text = await textOf(page);
  expect(text).not.toMatch(/<script|src=|href=|url\((?!#)/);
  expect(lab.troubles).toEqual([]);
});

test('a stretch of a run becomes an animated picture, which plays, stops, and starts still for who wants that', async ({
  page,
  context,
}) => {
  const lab = new LabPage(page);
  await lab.open('#v2/vtx-ept/hello-kvm/88');
  await page.getByRole('button', {name: 'Share'}).click();
  await page.getByRole('button', {name: 'Print or animate…'}).click();
  await page.getByRole('spinbutton', {name: 'How many'}).fill('3');
  await page.getByRole('combobox', {name: 'Of what size'}).selectOption('exit');
  await page.getByRole('combobox', {name: 'Seconds for each step'}).selectOption('2');
  await page.getByRole('button', {name: 'Animated picture'}).click();
  const open = page.getByRole('link', {name: 'Open it'});
  await expect(open).toBeVisible({timeout: 60_000});
  const text = await textOf(page);
  expect(text).not.toMatch(/<script|foreignObject|href="http/);
  const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const [tab] = await Promise.all([context.waitForEvent('page'), open.click()]);
  const shown = async () =>
    tab.evaluate(() =>
      [...document.querySelectorAll('.f')].flatMap((frame, at) =>
        getComputedStyle(frame).visibility === 'visible' ? [at] : [],
      ),
    );
  await tab.emulateMedia({reducedMotion: 'no-preference'});
  await tab.reload();
  await expect.poll(shown, {intervals: [100]}).toEqual([1]);
  await expect.poll(shown, {intervals: [100]}).toEqual([2]);
  await tab.emulateMedia({reducedMotion: 'reduce'});
  await tab.reload();
  await expect(tab.locator('.still')).toBeVisible();
  await tab.waitForTimeout(2500);
  expect(await shown()).toEqual([0]);
  await tab
    .locator('svg')
    .first()
    .click({position: {x: 300, y: 300}});
  await expect.poll(shown, {intervals: [100]}).toEqual([1]);
  // The last frame is where the lab comes to by the same steps.
  await page.bringToFront();
  await page.keyboard.press('Escape');
  await page.keyboard.press('e');
  await page.keyboard.press('e');
  const last = (await tab.locator('.f2 title').first().textContent()) ?? '';
  await expect(lab.why.locator('h2')).toHaveText(last.replace('3 of 3: ', ''));
  expect(lab.troubles).toEqual([]);
});

test('who changes his mind cancels, and can ask again', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open('#v2/vtx-ept/mini-os/88');
  await page.getByRole('button', {name: 'Share'}).click();
  await page.getByRole('button', {name: 'Print or animate…'}).click();
  await page.getByRole('spinbutton', {name: 'How many'}).fill('60');
  await page.getByRole('button', {name: 'Page to print'}).click();
  await page.getByRole('button', {name: 'Cancel'}).click();
  await expect(page.getByRole('progressbar')).toBeHidden();
  await page.getByRole('spinbutton', {name: 'How many'}).fill('1');
  await page.getByRole('button', {name: 'Page to print'}).click();
  await expect(page.locator('hs-walk .made [role=status]')).toHaveText(/^\s*1 step, /, {timeout: 25_000});
  expect(lab.troubles).toEqual([]);
});
