// The shadow MMU against the manual: random page tables, random stores to them, INVLPG, CR3 loads, changes of mode and accesses.

import {describe, expect, test} from 'vitest';
import type {FixtureOptions} from './shadow-fixture.js';
import {Scenario} from './shadow-scenario.js';
import type {Format} from './shadow-scenario.js';

const WINDOW = {linear: 0xffe0_0000n, entry: 0x70_0000n | 0xa3n};
const LONG_WINDOW = {linear: 0xffff_ffff_ffe0_0000n, entry: 0x80_0000n | 0xa3n};

const SCENARIOS: readonly (readonly [string, readonly Format[], FixtureOptions])[] = [
  ['4-level on 4-level', ['4-level'], {}],
  ['every format on 4-level', ['none', '32-bit', 'PAE', '4-level'], {}],
  ['32-bit on PAE: quadrants', ['32-bit'], {hardware: {format: 'PAE'}}],
  ['PAE on PAE', ['PAE'], {hardware: {format: 'PAE'}}],
  ['legacy formats on PAE', ['none', '32-bit', 'PAE'], {hardware: {format: 'PAE'}}],
  ['32-bit on 32-bit', ['none', '32-bit'], {hardware: {format: '32-bit', noExecute: 'off'}}],
  ['4-level, leaf tables trapped', ['4-level'], {leafTables: 'trapped'}],
  ['32-bit on PAE, leaf tables trapped', ['32-bit'], {hardware: {format: 'PAE'}, leafTables: 'trapped'}],
  ['4-level, kernel and user in ring 3', ['4-level'], {hardware: {views: 2}}],
  ['32-bit on PAE, kernel and user in ring 3', ['none', '32-bit'], {hardware: {format: 'PAE', views: 2}}],
  ['a pool that is always empty', ['4-level', 'PAE'], {poolPages: 19}],
  ['a pool that is always empty, PAE', ['none', '32-bit', 'PAE'], {hardware: {format: 'PAE'}, poolPages: 19}],
  ['a pool that is always empty, with a window', ['4-level', 'PAE'], {window: LONG_WINDOW, poolPages: 19}],
  ['a window of the hypervisor, PAE', ['none', '32-bit', 'PAE'], {hardware: {format: 'PAE'}, window: WINDOW}],
  ['a window of the hypervisor, 4-level', ['4-level', 'PAE'], {window: LONG_WINDOW}],
];

describe('what the processor uses is what the guest’s tables say', () => {
  test.each(SCENARIOS)('%s', (_, formats, options) => {
    const total = {accesses: 0, hidden: 0, true: 0, device: 0, written: 0, stale: 0};
    for (let seed = 1; seed <= 4; seed++) {
      const scenario = new Scenario(seed, formats, options);
      for (let step = 0; step < 300; step++) scenario.step();
      for (const key of ['accesses', 'hidden', 'true', 'device', 'written', 'stale'] as const)
        total[key] += scenario.done[key];
    }
    expect(Object.entries(total).filter(([, count]) => count < 2)).toEqual([]);
  });
});
