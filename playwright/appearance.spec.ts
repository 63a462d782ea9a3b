// Themes, sizes, and what axe says of the whole page.

import {expect, test} from '@playwright/test';
import {troubleInEveryTheme} from './accessibility.js';
import {LabPage} from './lab-page.js';

test('the lab and what opens over it are accessible in every theme', async ({page}) => {
  test.slow();
  const lab = new LabPage(page);
  await lab.open();
  await lab.exitNamed(/I\/O instruction/);
  await lab.realKvm.click();
  await expect(page.locator('hs-compare-table tbody tr').first()).toBeVisible();
  expect(await troubleInEveryTheme(page), 'real KVM').toEqual([]);
  await page.keyboard.press('x');
  await page.keyboard.press('X');
  await page.keyboard.press('/');
  await page.keyboard.type('cpuid');
  await page.keyboard.press('Enter');
  await expect(page.locator('hs-finds')).toContainText('cpuid');
  expect(await troubleInEveryTheme(page, 'footer'), 'search and breakpoints').toEqual([]);
  await page.keyboard.press('Escape');
  for (const [button, name, part] of [
    ['Share', 'Share this moment', 'hs-share'],
    ['Scenarios', 'Scenarios', 'hs-scenario-chooser'],
    ['Switches', 'Switches of VT-x with EPT', 'hs-switches'],
    ['Help: keys and colours', 'Keys and colours', 'hs-help'],
  ] as const) {
    await page.getByRole('button', {name: button, exact: true}).click();
    await expect(page.getByRole('heading', {name})).toBeVisible();
    expect(await troubleInEveryTheme(page, part), name).toEqual([]);
    await page.keyboard.press('Escape');
    await expect(page.getByRole('heading', {name})).toBeHidden();
  }
});

test('a translation, a scenario and a notice are accessible in every theme', async ({page}) => {
  const lab = new LabPage(page);
  for (const [link, part, shown] of [
    ['#v2/binary-translation/rings/2;panel=translation', 'hs-inspector', 'hs-translation-cache'],
    ['#v2/trap-and-emulate/popf/;scenario=d6-popf:4', '.scenario', 'hs-scenario h2'],
    ['#v9/unknown', '.notice', '.notice'],
  ] as const) {
    await page.goto('about:blank');
    await lab.open(link);
    await expect(page.locator(shown).first()).toBeVisible();
    expect(await troubleInEveryTheme(page, part), link).toEqual([]);
  }
});

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
  test(`at ${width} × ${height} nothing overflows or is cut off, and the first minute fits`, async ({page}) => {
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
    await expect(lab.why.locator('li.decided')).toBeInViewport({ratio: 1});
    for (const bar of ['hs-toolbar', 'hs-transport']) {
      const box = await page.locator(bar).boundingBox();
      expect(box?.height, `${bar} has one row`).toBeLessThan(60);
    }
    // Chosen texts are whole: a select is as wide as its text.
    for (const name of ['Guest', 'Machine', 'step by']) {
      const cut = await page
        .getByLabel(name)
        .first()
        .evaluate(it => it.scrollWidth - it.clientWidth);
      expect(cut, name).toBeLessThanOrEqual(0);
    }
    // A check that comes late in a long list as well.
    await page.goto('about:blank');
    await lab.open('#v1/vtx-ept/card-popf/59');
    await expect(lab.why.locator('li')).not.toHaveCount(1);
    await expect(lab.why.locator('li.decided')).toBeInViewport({ratio: 1});
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
