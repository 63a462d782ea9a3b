// What fills the screen while presenting, key by key.

import {expect, test} from 'vitest';
import {FILLING, PRESENT_ROWS, Presentation, type Filling} from './presentation.js';

const without = (missing: Filling) => (panel: Filling) => panel !== missing;

function pressed(...keys: readonly string[]): Presentation {
  const presentation = new Presentation(() => undefined);
  for (const key of keys) presentation.key(key, 'page', without('scenario'));
  return presentation;
}

test('f goes through every panel that there is, and through all of them together, in both directions', () => {
  const presentation = pressed();
  const seen: (Filling | undefined)[] = [];
  for (let press = 0; press < FILLING.length; press++) {
    presentation.key('f', 'page', without('scenario'));
    seen.push(presentation.panel);
  }
  expect(seen).toEqual(['stage', 'why', 'code', 'console', 'inspector', 'timeline', undefined]);
  presentation.key('F', 'page', without('scenario'));
  expect(presentation.panel).toBe('timeline');
});

test('each panel has a key; the same key again brings all of them back', () => {
  for (const [key, panel] of [
    ['S', 'stage'],
    ['W', 'why'],
    ['C', 'code'],
    ['O', 'console'],
    ['i', 'inspector'],
    ['T', 'timeline'],
  ] as const) {
    expect(pressed(key).panel).toBe(panel);
    expect(pressed(key, key).panel).toBeUndefined();
  }
});

test('a panel is made larger and smaller within bounds, and another panel begins at its own size', () => {
  expect(pressed('W').zoom).toBe(1);
  expect(pressed('W', '+').zoom).toBeGreaterThan(1);
  expect(pressed('W', '-').zoom).toBeLessThan(1);
  expect(pressed('W', ...Array.from({length: 40}, () => '+')).zoom).toBe(3);
  expect(pressed('W', '+', '0').zoom).toBe(1);
  expect(pressed('W', '+', 'f').zoom).toBe(1);
});

test('Escape leaves the dark first, then the panel, then the presentation', () => {
  const presentation = pressed('W', '+', 'b');
  const escape = () => presentation.key('Escape', 'page', without('scenario'));
  expect(presentation.screen).toBe('off');
  expect([escape(), presentation.screen, presentation.panel]).toEqual(['done', 'on', 'why']);
  expect([escape(), presentation.panel, presentation.zoom]).toEqual(['done', undefined, 1]);
  expect(escape()).toBe('leave');
});

test('steps, machines and what is typed stay what they are; the key that starts a show loads nothing anew', () => {
  const presentation = pressed('I');
  for (const key of ['ArrowRight', 'PageDown', 'e', 'r', '3', ' ', '?'])
    expect(presentation.key(key, 'page', without('scenario'))).toBe('not-mine');
  expect(presentation.key('W', 'types', without('scenario'))).toBe('not-mine');
  expect(presentation.key('F5', 'page', without('scenario'))).toBe('done');
  expect(presentation.key(']', 'page', without('scenario'))).toBe('next-tab');
  expect(pressed('W').key(']', 'page', without('scenario'))).toBe('not-mine');
});

test('every key of the help means something', () => {
  for (const {keys} of PRESENT_ROWS)
    for (const key of keys) expect(pressed().key(key, 'page', without('scenario')), key).not.toBe('not-mine');
});
