import {describe, expect, test} from 'vitest';
import {runInProcess} from '../testing/run-in-process.js';
import {EXITS} from './exits.js';

const exits = (...args: readonly string[]) => runInProcess([EXITS], ['exits', ...args]);

test('a guest on two machines: a row for each reason, a column for each machine', async () => {
  const {out, status} = await exits('hello-kvm', '--on', 'vtx-ept,svm-npt');
  expect(status).toBe(0);
  expect(out).toMatch(/^reason +what +vtx-ept +svm-npt$/m);
  expect(out).toMatch(/^ +48 +EPT violation +5 +0$/m);
  expect(out).toMatch(/^ +400h +nested page fault +0 +5$/m);
  expect(out).toMatch(/^ +all +12 +12$/m);
});

test('JSON has the parts that a guest marks', async () => {
  const {out} = await exits('page-table-edits', '--on', 'vtx-ept', '--json');
  const {guest, machines} = JSON.parse(out);
  expect(guest).toBe('page-table-edits');
  expect(machines[0].parts).toHaveLength(5);
  expect(machines[0].parts.slice(1, 4)).toEqual([[], [], []]);
});

test('walks: 24 references for four levels of each, fewer with large pages, 4 native', async () => {
  const {out} = await exits('walks');
  expect(out).toMatch(/^ +4 KiB +4 +24 +19 +24 +19$/m);
  expect(out).toMatch(/^ +2 MiB +3 +19 +15 +19 +15$/m);
  expect(out).toMatch(/^ +1 GiB +2 +14 +11 +14 +11$/m);
  expect(out.replace(/\s+/g, ' ')).toContain(
    "reads 4 entries. Through EPT it reads 24: 4 of the guest's and 20 of EPT",
  );
});

describe('what is wrong is said', () => {
  test.each([
    [['wolks'], /neither a guest nor an experiment\. Did you mean walks\?/],
    [['walks', '--on', 'bare'], /an experiment has its own machines/],
    [['hello-kvm', 'popf'], /Give one guest or one experiment/],
    [['tiny-vmx', '--on', 'vtx-ept'], /Run it on bare/],
  ])('%j', async (args, words) => {
    const {status, notes} = await exits(...args);
    expect(status).toBe(2);
    expect(notes).toMatch(words);
  });
});
