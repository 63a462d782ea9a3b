// Themes, sizes, and what axe says of the whole page.

import {expect, test} from '@playwright/test';
import {accessibilityTrouble} from './accessibility.js';
import {LabPage} from './lab-page.js';

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the whole page is accessible in ${colorScheme}`, async ({page}) => {
    await page.emulateMedia({colorScheme, reducedMotion: 'reduce'});
    const lab = new LabPage(page);
    await lab.open();
    await lab.exitNamed(/I\/O instruction/);
    await lab.realKvm.click();
    await expect(page.locator('hs-compare-table tbody tr').first()).toBeVisible();
    expect(await accessibilityTrouble(page)).toEqual([]);
    for (const tab of ['Registers', 'VMCS', 'Page walk', 'Exits']) {
      await page.getByRole('tab', {name: tab}).click();
      expect(await accessibilityTrouble(page), tab).toEqual([]);
      await lab.shot(`${colorScheme}-${tab.toLowerCase().replace(' ', '-')}`);
    }
  });
}

test('the chosen theme is kept for the next visit', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open();
  await page.getByLabel('Theme', {exact: true}).selectOption('contrast');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'contrast');
  await page.reload();
  await lab.ready();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'contrast');
  await lab.shot('contrast');
});

for (const [width, height] of [
  [1024, 768],
  [1280, 720],
  [1920, 1080],
] as const) {
  test(`at ${width} × ${height} nothing overflows and the first minute fits`, async ({page}) => {
    await page.setViewportSize({width, height});
    const lab = new LabPage(page);
    await lab.open();
    await lab.exitNamed(/I\/O instruction/);
    const overflow = await page.evaluate(() => [
      document.documentElement.scrollWidth - innerWidth,
      document.documentElement.scrollHeight - innerHeight,
    ]);
    expect(overflow).toEqual([0, 0]);
    for (const part of [
      lab.stage.getByRole('img'),
      lab.why.locator('h2'),
      lab.nextExit,
      lab.slider,
      page.locator('hs-code-view .current'),
      page.getByRole('tablist'),
    ]) {
      await expect(part).toBeInViewport();
    }
    await lab.shot(`size-${width}x${height}`);
  });
}

test('the first exit is there within seconds, and the first scripts are small', async ({page}) => {
  let bytes = 0;
  page.on('response', response => {
    const length = Number(response.headers()['content-length'] ?? 0);
    if (/\/assets\/index[^/]*\.js$/.test(response.url())) bytes += length;
  });
  const lab = new LabPage(page);
  const start = Date.now();
  await lab.open();
  await page.keyboard.press('e');
  await expect.poll(() => lab.step()).toBeGreaterThan(0);
  expect(Date.now() - start).toBeLessThan(8000);
  expect(bytes).toBeLessThan(250_000);
});
