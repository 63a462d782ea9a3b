// Every element is shown in every state that it can be in, and those of this group are accessible in every theme.

/// <reference types="vite/client" />

import {expect, test} from 'vitest';
import {CORE_STORIES} from './core-stories.js';
import {ELEMENT_STATES, STATES} from './element-states.js';
import {PANEL_STORIES} from './panel-stories.js';
import {STATE_STORIES} from './state-stories.js';
import type {Theme} from '../theme.js';
import {accessibilityTrouble, mount} from '../testing/mounting.js';

const STORIES = {...CORE_STORIES, ...PANEL_STORIES, ...STATE_STORIES};
const THEMES: readonly Theme[] = ['light', 'dark', 'contrast'];

/** Thousands of rows, at each of which axe would look for seconds; of the same rows, only fewer, it is asked elsewhere. */
const TOO_LONG = new Set(['very much code', 'a very long comparison', 'a full TLB', 'very many finds']);

for (const [name, make] of Object.entries(STATE_STORIES)) {
  if (TOO_LONG.has(name)) continue;
  test(`${name} should be accessible in every theme`, async () => {
    for (const theme of THEMES) {
      await mount(make(), theme);
      expect(await accessibilityTrouble()).toEqual([]);
    }
  });
}

/** Every element of this package, by its sources. */
const sources: Readonly<Record<string, unknown>> = import.meta.glob('../**/*.ts', {
  query: '?raw',
  import: 'default',
  eager: true,
});
const elements = Object.values(sources).flatMap(source =>
  [...String(source).matchAll(/^@customElement\('([\w-]+)'\)/gm)].map(([, tag = '']) => tag),
);

test('every element says which states it has', () => {
  expect(elements.length).toBeGreaterThan(30);
  expect([...elements].sort()).toEqual(Object.keys(ELEMENT_STATES).sort());
});

test.each(Object.entries(ELEMENT_STATES))('%s has a story of each of its states', (tag, states) => {
  for (const state of STATES) {
    const name = states[state];
    if (name.startsWith('none: ')) continue;
    const make = STORIES[name];
    expect(make, `${state}: there is no story "${name}"`).toBeDefined();
    // A map stands in its timeline, a doctor's finding in its panel.
    const element = make?.();
    if (element?.localName !== tag) expect(`${tag} in ${element?.localName}`).toBe('hs-timeline-map in hs-timeline');
  }
});
