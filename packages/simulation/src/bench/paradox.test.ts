// What history reports of the first hardware for virtualization, computed: the order of the machines, not their figures.
// Adams and Agesen, ASPLOS 2006, section 6; Bhargava and others, ASPLOS 2008, for the walks.

import {describe, expect, test} from 'vitest';
import {assertExists} from '@hyperscope/base';
import {breakEvenRoundTrip} from './break-even.js';
import {GENERATIONS, generationOf} from './generations.js';
import type {Rival} from './generations.js';
import {paradox} from './paradox.js';
import type {ParadoxCell} from './paradox.js';
import type {WorkloadId} from './workload-run.js';

const PRESCOTT = generationOf('prescott-2005');
const WESTMERE = generationOf('westmere-2010');

function cellOf(costModel: string, workload: WorkloadId): ParadoxCell {
  const [cell] = paradox([generationOf(costModel)], [workload]);
  return assertExists(cell, 'one cell');
}
const ratioOf = ({rivals}: ParadoxCell, technique: Rival): number =>
  assertExists(
    rivals.find(each => each.technique === technique),
    `${technique} is among the rivals`,
  ).ratio;

describe('the order that history reports', {timeout: 60_000}, () => {
  test('a guest that only computes is as fast everywhere', () => {
    for (const {ratio, exits} of cellOf('westmere-2010', 'compute').rivals) {
      expect(ratio).toBeLessThan(1.03);
      expect(exits).toBe(0);
    }
  });

  test('of 2005: VT-x wins on system calls, which do not exit; translation pays for each', () => {
    const cell = cellOf('prescott-2005', 'calls');
    expect(cell.winners).toEqual(['vtx-shadow']);
    expect(ratioOf(cell, 'vtx-shadow')).toBeLessThan(1.03);
    expect(ratioOf(cell, 'binary-translation')).toBeGreaterThan(2);
  });

  test('of 2005: translation wins where page tables change', () => {
    const cell = cellOf('prescott-2005', 'fork');
    expect(cell.winners).toEqual(['binary-translation']);
    expect(ratioOf(cell, 'vtx-shadow')).toBeGreaterThan(2 * ratioOf(cell, 'binary-translation'));
  });

  test('of 2010: EPT wins there, without an exit; shadow page tables still lose to translation', () => {
    const cell = cellOf('westmere-2010', 'fork');
    expect(cell.winners).toEqual(['vtx-ept']);
    expect(cell.rivals.find(({technique}) => technique === 'vtx-ept')?.exits).toBe(0);
    expect(ratioOf(cell, 'vtx-shadow')).toBeGreaterThan(ratioOf(cell, 'binary-translation'));
  });

  test('EPT loses where the TLB misses and page tables stay as they are', () => {
    const cell = cellOf('westmere-2010', 'walks');
    expect(cell.winners).not.toContain('vtx-ept');
    expect(ratioOf(cell, 'vtx-ept')).toBeGreaterThan(2 * ratioOf(cell, 'vtx-shadow'));
  });
});

describe('changing places', {timeout: 120_000}, () => {
  test('a guest that does both: between the round trips of Prescott and Merom', () => {
    const [prescott, merom] = [PRESCOTT, generationOf('merom-2006')];
    const found = breakEvenRoundTrip(prescott, 'mixed');
    if (found.kind !== 'round-trip') throw new Error(`found ${found.kind}`);
    expect(found.cycles).toBeLessThan(prescott.roundTrip);
    expect(found.cycles).toBeGreaterThan(merom.roundTrip);
  });

  test('fork is faster in translation even if exits cost nothing', () =>
    expect(breakEvenRoundTrip(PRESCOTT, 'fork').kind).toBe('translation-wins'));
});

test('the generations are those whose round trip somebody published, and EPT came with Nehalem', () => {
  expect(GENERATIONS.map(({roundTrip}) => roundTrip)).toEqual([3963, 1579, 1266, 1009, 761, 784]);
  expect(GENERATIONS.map(({withEpt}) => withEpt !== undefined)).toEqual([false, false, false, true, true, true]);
  expect(WESTMERE.withEpt).toBe('westmere');
});
