// Without a mouse: everything of the first minute, and a lecture.

import {expect, test} from '@playwright/test';
import {LabPage} from './lab-page.js';

test('the lab is used by keys alone', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open();
  const start = await lab.step();
  await page.keyboard.press('e');
  await expect.poll(() => lab.step()).toBeGreaterThan(start);
  const exit = await lab.step();
  await page.keyboard.press('ArrowLeft');
  await expect.poll(() => lab.step()).toBe(exit - 1);
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => lab.step()).toBe(exit);
  await page.keyboard.press('ArrowUp');
  await expect(page.getByLabel('step by')).toHaveValue('event');
  await page.keyboard.press('Home');
  await expect.poll(() => lab.step()).toBe(start);
  await page.keyboard.press('Home');
  await expect.poll(() => lab.step()).toBe(0);
  await page.keyboard.press('1');
  await expect(page.getByLabel('Machine')).toHaveValue('bare');
  await page.keyboard.press('2');
  await lab.ready();
  await page.keyboard.press('?');
  await expect(page.getByRole('heading', {name: 'Keys and colours'})).toBeVisible();
  await lab.shot('help');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('heading', {name: 'Keys and colours'})).toBeHidden();
  await page.keyboard.press('g');
  await expect(page.getByRole('heading', {name: 'Go to step'})).toBeVisible();
  await page.keyboard.type('7');
  await page.keyboard.press('Enter');
  await expect.poll(() => lab.step()).toBe(7);
});

test('the timeline is a slider that says where it is', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open();
  const next = (await lab.step()) + 1;
  await lab.slider.focus();
  await page.keyboard.press('ArrowRight');
  await expect(lab.slider).toHaveAttribute('aria-valuenow', `${next}`);
  await expect(lab.slider).toHaveAttribute('aria-valuetext', new RegExp(`step ${next} of`));
  await page.keyboard.press('End');
  await expect(lab.slider).toHaveAttribute('aria-valuenow', (await lab.slider.getAttribute('aria-valuemax')) ?? '');
});

test('every control is reached by Tab and shows its focus', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open();
  const seen = new Set<string>();
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press('Tab');
    seen.add(
      await page.evaluate(() => {
        let element = document.activeElement;
        while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
        if (element === null || element === document.body) return '';
        const {outlineStyle, outlineWidth, boxShadow} = getComputedStyle(element);
        const shown = (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none';
        if (!shown) return `no focus to be seen on ${element.localName} ${element.className}`;
        return `${element?.getAttribute('aria-label') ?? element?.textContent?.trim() ?? ''}`.replaceAll(/\s+/g, ' ');
      }),
    );
  }
  expect([...seen].filter(text => text.startsWith('no focus'))).toEqual([]);
  for (const name of [
    'Why',
    'cycles modelled',
    'Guest',
    'Machine',
    'Compare',
    'Present',
    'Share',
    'Registers',
    'Timeline: step in the run',
  ]) {
    const found = [...seen].some(text => text.includes(name));
    expect(found, `${name} among ${[...seen].join(' / ')}`).toBe(true);
  }
});

test('presenting hides the chrome, enlarges the type and goes by clicker', async ({page}) => {
  const lab = new LabPage(page);
  await page.setViewportSize({width: 1920, height: 1080});
  await lab.open();
  await page.keyboard.press('p');
  await expect(page.locator('hs-toolbar')).toBeHidden();
  await page.keyboard.press('e');
  await expect(lab.why.locator('h2')).toContainText('Step');
  const size = await lab.why
    .locator('p')
    .first()
    .evaluate(element => Number.parseFloat(getComputedStyle(element).fontSize));
  expect(size).toBeGreaterThanOrEqual(24);
  await lab.shot('present');
  for (const [width, height] of [
    [1920, 1080],
    [1024, 768],
  ] as const) {
    await page.setViewportSize({width, height});
    for (const part of [lab.why.locator('p').first(), lab.why.locator('li.decided'), lab.why.locator('p').nth(1)])
      await expect(part, `${width} × ${height}`).toBeInViewport({ratio: 1});
    await expect(lab.stage.getByRole('img')).toBeInViewport({ratio: 1});
  }
  await page.keyboard.press('PageDown');
  await page.keyboard.press('b');
  await expect(page.locator('.blackout')).toBeVisible();
  await page.keyboard.press('b');
  await page.keyboard.press('Escape');
  await expect(page.locator('hs-toolbar')).toBeVisible();
});

test('a step is on the screen soon after the key (printed, not judged: the machine may be busy)', async ({page}) => {
  const lab = new LabPage(page);
  await lab.open();
  const start = await lab.step();
  const times: number[] = [];
  for (let steps = 0; steps < 20; steps++) {
    times.push(
      await page.evaluate(async () => {
        const transport = document.querySelector('hs-lab')?.shadowRoot?.querySelector('hs-transport')?.shadowRoot;
        const index = () => transport?.querySelector('output')?.textContent;
        const was = index();
        const start = performance.now();
        document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true}));
        while (index() === was) await new Promise(resolve => requestAnimationFrame(resolve));
        await new Promise(resolve => setTimeout(resolve));
        return performance.now() - start;
      }),
    );
  }
  times.sort((a, b) => a - b);
  console.log(`      key to painted: median ${times[10]?.toFixed(1)} ms, slowest ${times.at(-1)?.toFixed(1)} ms`);
  expect(await lab.step()).toBe(start + 20);
});

test('at 200 % nothing is cut off sideways, and the story is reached by scrolling', async ({page}) => {
  await page.setViewportSize({width: 800, height: 500});
  const lab = new LabPage(page);
  await lab.open();
  await page.keyboard.press('e');
  await expect(lab.stage.locator('.card')).toContainText('I/O instruction');
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  await lab.why.locator('li.decided').scrollIntoViewIfNeeded();
  await expect(lab.why.locator('li.decided')).toBeInViewport({ratio: 1});
  await expect(lab.nextExit).toBeInViewport({ratio: 1});
});
