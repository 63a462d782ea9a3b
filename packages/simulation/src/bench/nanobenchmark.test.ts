import {describe, expect, test} from 'vitest';
import {measure} from './nanobenchmark.js';
import {PUBLISHED_OPERATIONS} from './published-figures.js';

const P4 = {profile: 'prescott', costModel: undefined} as const;

describe('native, on the processor of 2005', () => {
  test.each(PUBLISHED_OPERATIONS.filter(({place}) => place === 'figure'))(
    '$name is within 15 % of the paper',
    ({guest, cycles}) => {
      const ratio = measure(guest, {technique: 'bare', ...P4}).cycles / cycles.native;
      expect(Math.abs(ratio - 1)).toBeLessThan(0.15);
    },
  );

  test('what is measured is the operation: each figure of the model that is in it moves it', () => {
    const cycles = (guest: string, changes: string): number =>
      measure(guest, {technique: 'bare', profile: 'prescott', costModel: `prescott-2005,${changes}`}).cycles;
    expect(cycles('nano-in', 'port-access=10')).toBe(11);
    expect(cycles('nano-syscall', 'syscall=0')).toBe(2);
    expect(cycles('nano-call-ret', 'near-return=0')).toBe(2);
    expect(cycles('nano-cr8wr', 'cr8-write=49')).toBe(50);
    // The handler of divzero has two instructions; that of pgfault three, and four entries are read before it.
    expect(cycles('nano-divzero', 'exception=100')).toBe(102);
    expect(cycles('nano-pgfault', 'exception=100,page-fault=10,walk-reference=1')).toBe(117);
    expect(cycles('nano-ptemod', 'instruction=7')).toBe(7);
  });
});

test('a system call under VT-x costs what it costs without, because it does not exit', () => {
  const bare = measure('nano-syscall', {technique: 'bare', profile: undefined, costModel: 'prescott-2005'});
  const guest = measure('nano-syscall', {technique: 'vtx-ept', profile: undefined, costModel: 'prescott-2005'});
  expect(guest.cycles).toBe(bare.cycles);
});

test('a port costs an exit more, and a cheaper exit makes it cheaper', () => {
  const cycles = (costModel: string): number =>
    measure('nano-in', {technique: 'vtx-ept', profile: undefined, costModel}).cycles;
  expect(cycles('prescott-2005') - cycles('prescott-2005,vm-exit=554,vm-entry=1409')).toBe(2000);
});

test('an unknown model and an unknown figure are refused in words', () => {
  const run = (costModel: string) => () => measure('nano-in', {technique: 'bare', profile: undefined, costModel});
  expect(run('8086')).toThrow(/no cost model "8086".*prescott-2005/);
  expect(run('prescott-2005,tea=1')).toThrow(/no figure "tea"/);
});
