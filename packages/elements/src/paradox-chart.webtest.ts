// Bars as long as they are many times native, a line at translation, and a table that says the same; for axe in every theme.

import {expect, test} from 'vitest';
import {ParadoxChart} from './paradox-chart.js';
import {SAMPLE_PARADOX} from './samples/sample-paradox.js';
import {accessibilityTrouble, mount, textOf} from './testing/mounting.js';
import {THEMES} from './theme.js';

async function chart(): Promise<ParadoxChart> {
  return mount(Object.assign(new ParadoxChart(), {rows: SAMPLE_PARADOX}));
}
const all = (view: ParadoxChart, selector: string): readonly Element[] => [
  ...(view.shadowRoot?.querySelectorAll(selector) ?? []),
];
const number = (element: Element | undefined, name: string): number => Number(element?.getAttribute(name));

test('a longer bar is more cycles, and the line stands where translation ends', async () => {
  const view = await chart();
  const [translation, hardware] = all(view, 'rect');
  expect(number(hardware, 'width')).toBeGreaterThan(number(translation, 'width'));
  const [line] = all(view, '.line');
  expect(number(line, 'x1')).toBeCloseTo(number(translation, 'x') + number(translation, 'width'), 3);
});

test('what has not run has no bar yet, and says so', async () => {
  const view = await chart();
  expect(number(all(view, 'rect')[3], 'width')).toBe(2);
  expect(textOf(view)).toContain('not run yet');
});

test('the table has every bar', async () => {
  const view = await chart();
  expect(all(view, 'tbody tr').map(row => row.textContent?.replaceAll(/\s+/g, ' ').trim())).toEqual([
    'fork and wait Translation 10.14 151.1 yes',
    'fork and wait VT-x, shadow 63.32 133.0',
    'page walks Translation 1.00 0.0',
    'page walks VT-x, shadow not run yet',
  ]);
});

for (const theme of THEMES) {
  test(`should be accessible in the ${theme} theme, also before anything was run`, async () => {
    await mount(Object.assign(new ParadoxChart(), {rows: SAMPLE_PARADOX}), theme);
    expect(await accessibilityTrouble()).toEqual([]);
    await mount(new ParadoxChart(), theme);
    expect(await accessibilityTrouble()).toEqual([]);
  });
}
