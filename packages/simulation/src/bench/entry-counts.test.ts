import {expect, test} from 'vitest';
import {countEntries} from './entry-counts.js';

const on = (technique: string) => ({technique, profile: 'westmere', costModel: undefined});

test(
  'a batch of page-table updates is one way into Xen; each of them is looked at all the same',
  {timeout: 60_000},
  () => {
    const [, each, some, all, mapped] = countEntries('page-table-edits-pv', on('paravirtual'));
    expect([each, some, all, mapped].map(part => part?.entries)).toEqual([1000, 10, 1, 1000]);
    const cycles = (part: typeof each): number => part?.cycles ?? 0;
    expect(cycles(each)).toBeGreaterThan(2 * cycles(some));
    expect(cycles(some)).toBeGreaterThan(cycles(all));
    // What cannot be saved: a look at each entry.
    expect(cycles(all)).toBeGreaterThan(1000 * 100);
  },
);

test('without a hypervisor a guest is never left, and its time is its own', () => {
  const parts = countEntries('page-table-edits', on('bare'));
  expect(parts.map(({entries}) => entries)).toEqual([0, 0, 0, 0, 0]);
  expect(parts[1]?.cycles).toBeGreaterThan(3000);
});
