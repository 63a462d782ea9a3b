import {findGuest} from '@hyperscope/guests';
import {assertExists} from '@hyperscope/base';
import {expect, test} from 'vitest';
import {portView} from './port-view.js';

test('a port stands beside its original: both texts are whole in it', async () => {
  const view = assertExists(await portView('mini-os-pv'), 'a port');
  const side = (without: 'added' | 'removed'): string =>
    view.lines
      .filter(line => line.kind !== without)
      .map(line => line.text)
      .join('\n');
  expect(side('added')).toBe(findGuest('mini-os')?.source);
  expect(side('removed')).toBe(findGuest('mini-os-pv')?.source);
  expect(view.parts.flatMap(part => part.hypercalls.map(([name]) => name))).toContain('mmu_update');
});

test('a guest of a PC is no port', async () => {
  expect(await portView('mini-os')).toBeUndefined();
  expect(await portView('no such guest')).toBeUndefined();
});
