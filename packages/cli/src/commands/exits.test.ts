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

test('where no machine is named, shadow page tables stand beside EPT', async () => {
  const {out} = await exits('hello-kvm');
  expect(out).toMatch(/^reason +what +vtx-shadow +vtx-ept$/m);
  expect(out).toMatch(/^ +28 +control-register access +4 +0$/m);
});

test('JSON has the parts that a guest marks', async () => {
  const {out} = await exits('page-table-edits', '--on', 'vtx-ept', '--json');
  const {guest, machines} = JSON.parse(out);
  expect(guest).toBe('page-table-edits');
  expect(machines[0].parts).toHaveLength(6);
  expect(machines[0].parts.slice(1, 5)).toEqual([[], [], [], []]);
});

test('ept: with EPT off and on, reasons 28 and 48 change places', async () => {
  const {out} = await exits('ept', '--json');
  const [{columns, rows}] = JSON.parse(out);
  expect(columns).toEqual(['reason', 'EPT off', 'EPT on']);
  const of = (title: string) => rows.find(([name]: readonly string[]) => name?.startsWith(`${title} `))?.slice(1);
  expect(of('28')).toEqual(['4', '0']);
  expect(of('48')).toEqual(['0', '5']);
  expect(of('0')).toEqual(['4', '0']);
  expect([of('10'), of('12'), of('30')]).toEqual([
    ['1', '1'],
    ['1', '1'],
    ['5', '5'],
  ]);
});

test('without a name all experiments are made; 1,000 edits are a storm under shadow paging, and nothing with nested paging', async () => {
  const {out} = await exits();
  expect(out).toMatch(/^VM exits of hello-kvm, with EPT off and on$/m);
  expect(out).toMatch(/^ +writes alone +1 +1000 +0 +0$/m);
  expect(out).toMatch(/^ +then MOV to CR3 +3 +3 +0 +0$/m);
  expect(out).toMatch(/^ +each with INVLPG +1001 +2000 +0 +0$/m);
  expect(out).toMatch(/^ +each with INVLPG and a use +2000 +3000 +0 +0$/m);
  const words = out.replace(/\s+/g, ' ');
  expect(words).toContain(
    'Without EPT the hypervisor must see what the guest does to its own paging: reason 28 comes 4 times',
  );
  expect(words).toContain("With EPT that is the guest's business: reason 28 comes never");
  expect(words).toContain("With nested paging the tables are the guest's own: 0.");
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
