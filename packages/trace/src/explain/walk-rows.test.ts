import {gpa} from '@hyperscope/base';
import {describe, expect, test} from 'vitest';
import type {TraceEvent} from '../record-format.js';
import {walkRows, whereWalkStopped} from './walk-rows.js';

type Walk = Extract<TraceEvent, {kind: 'page-walk'}>;
type Reference = Walk['references'][number];

/** The four EPT entries that find a guest-physical page; the last one as given. */
const found = (page: number, leaf: bigint): readonly Reference[] =>
  [4, 3, 2, 1].map(level => ({
    table: 'ept',
    level,
    address: gpa(0x10_0000 + level * 0x1000 + (Math.floor(page / 2 ** (12 + 9 * (level - 1))) % 512) * 8),
    entry: level === 1 ? leaf : 0x10_1007n,
  }));
const guest = (level: number, address: number, entry: bigint): Reference => ({
  table: 'guest',
  level,
  address: gpa(address),
  entry,
});
const walk = (outcome: Walk['outcome'], references: readonly Reference[], linear = 0x8000n): Walk => ({
  kind: 'page-walk',
  linear,
  access: 'execute',
  references,
  outcome,
});

describe('a walk that EPT stops', () => {
  test('on its way to a guest table names the table, not the page', () => {
    const stopped = walk('ept-violation', [
      ...found(0x1f_9000, 0x11f_9037n),
      guest(4, 0x1f_9000, 0x1f_a023n),
      ...found(0x1f_a000, 0n),
    ]);
    expect(walkRows(stopped).map(({name, gpa: at}) => [name, at])).toEqual([
      ['PML4', 0x1f_9000],
      ['PDPT', 0x1f_a000],
    ]);
    expect(whereWalkStopped(stopped)).toBe(
      'Read 9, the EPT PT entry for GPA 0x1fa000, where the guest’s PDPT lies, is 0x0, not present.',
    );
  });

  test('at the page says that it is the page', () => {
    const stopped = walk('ept-violation', [
      ...found(0x1000, 0x100_1037n),
      guest(2, 0x1000, 0xe3n),
      ...found(0x8000, 0x100_8001n),
    ]);
    expect(walkRows(stopped).at(-1)).toMatchObject({name: 'the page', gpa: 0x8000});
    expect(whereWalkStopped(stopped)).toContain('the page itself, is 0x1008001, which does not allow this fetch');
  });

  test('before anything of the guest’s was read looks for the root table, or for the page where paging is off', () => {
    expect(walkRows(walk('ept-violation', found(0x1f_9000, 0n)))).toMatchObject([
      {name: 'the root table', gpa: 0x1f_9000},
    ]);
    expect(walkRows(walk('ept-violation', found(0x8000, 0n)))).toMatchObject([{name: 'the page', gpa: 0x8000}]);
    const atOnce = walk('ept-violation', found(0x8000, 0n).slice(0, 1));
    expect(walkRows(atOnce)).toMatchObject([{name: 'the first address', gpa: undefined}]);
  });
});

test('a page fault is at the guest’s own entry', () => {
  const stopped = walk('page-fault', [guest(2, 0x2000, 0x3023n), guest(1, 0x3040, 0n)]);
  expect(walkRows(stopped).map(({name}) => name)).toEqual(['PD', 'PT']);
  expect(whereWalkStopped(stopped)).toBe('Read 2, the PT entry, is 0x0, not present.');
  expect(whereWalkStopped(stopped, 'shadow')).toBe('Read 2, the shadow PT entry, is 0x0, not present.');
  expect(whereWalkStopped({...stopped, outcome: 'mapped'})).toBeUndefined();
});
