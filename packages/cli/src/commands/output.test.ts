import {expect, test} from 'vitest';
import {runInProcess} from '../testing/run-in-process.js';
import {OUTPUT} from './output.js';

const output = (...args: readonly string[]) => runInProcess([OUTPUT], ['output', ...args]);

test('under VT-x each way costs what its mechanism says, and the exits are named', async () => {
  const {status, out} = await output();
  const rows = out.split('\n').flatMap(line => {
    const row = /^ {2}([a-f]) {2}.*? {2,}(\d+) +(\d+) +[\d.]+ +(.+)$/.exec(line);
    return row === null ? [] : [row.slice(1)];
  });
  expect(status).toBe(0);
  expect(rows).toEqual([
    ['a', '1024', '1024', '1024 × I/O instruction'],
    ['b', '1024', '1024', '1024 × I/O instruction'], // KVM takes a REP OUTS apart
    ['c', '1024', '1024', '1024 × EPT violation'],
    ['d', '1024', '6', '1024 × EPT violation'], // each store leaves the guest, one in 170 comes to user space
    ['e', '1', '1', '1 × EPT violation'],
    ['f', '1', '1', '1 × VMCALL'],
  ]);
});

test('without a hypervisor nothing exits, and what only a hypervisor has is left out', async () => {
  const {status, out} = await output('--on', 'bare');
  expect(status).toBe(0);
  expect(out).toMatch(/^bare: exits per KiB, from a text of 1024 bytes$/m);
  expect(out).toMatch(/^ {2}a {2}OUT, byte by byte +– +– +[\d.]+$/m);
  expect(out).toContain('Left out: no hypervisor knows the hypercall.');
});

test('no image can be given, and a technique must exist', async () => {
  expect((await output('hello-kvm')).status).toBe(2);
  expect((await output('--on', 'nowhere')).status).toBe(2);
  expect((await output('--on', 'bare', '--coalesced-mmio', 'all')).status).toBe(2);
});
