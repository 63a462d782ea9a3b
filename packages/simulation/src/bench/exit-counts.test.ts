import {expect, test} from 'vitest';
import {countExits, totalOf} from './exit-counts.js';

const on = (technique: string) => ({technique, profile: undefined, costModel: undefined});

test('hello-kvm under VT-x with EPT: every exit by its number', () => {
  const {all, parts} = countExits('hello-kvm', on('vtx-ept'));
  expect(Object.fromEntries(all.map(({number, count}) => [number, count]))).toEqual({48: 5, 30: 5, 10: 1, 12: 1});
  expect(parts).toEqual([all]);
});

test('SVM has its own numbers for the same', () => {
  const counts = countExits('hello-kvm', on('svm-npt')).all.map(({number, count}) => [number, count]);
  expect(Object.fromEntries(counts)).toEqual({'400h': 5, '7Bh': 5, '72h': 1, '78h': 1});
});

test('3,000 changes of a page table, 2,000 with INVLPG: none leaves a guest that has nested paging', () => {
  for (const technique of ['vtx-ept', 'svm-npt'])
    expect(countExits('page-table-edits', on(technique)).parts.slice(1, 5).map(totalOf)).toEqual([0, 0, 0, 0]);
});

test('without a hypervisor nothing is left, and a hypervisor is not run under one', () => {
  expect(countExits('page-table-edits', on('bare'))).toEqual({all: [], parts: [[], [], [], [], [], []]});
  expect(() => countExits('tiny-vmx', on('vtx-ept'))).toThrow(/Run it on bare/);
});
