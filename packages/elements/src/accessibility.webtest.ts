// Every element, in every state and theme, as a reader with assistive technology meets it.

import {expect, test} from 'vitest';
import {CORE_STORIES} from './stories/core-stories.js';
import {accessibilityTrouble, mount} from './testing/mounting.js';
import type {Theme} from './theme.js';

const THEMES: readonly Theme[] = ['light', 'dark', 'contrast'];

for (const [name, make] of Object.entries(CORE_STORIES)) {
  for (const theme of THEMES) {
    test(`${name} should be accessible in the ${theme} theme`, async () => {
      await mount(make(), theme);
      expect(await accessibilityTrouble()).toEqual([]);
    });
  }
}
