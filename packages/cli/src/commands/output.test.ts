import {expect, test} from 'vitest';
import {runInProcess} from '../testing/run-in-process.js';
import {OUTPUT} from './output.js';

const output = (...args: readonly string[]) => runInProcess([OUTPUT], ['output', ...args]);

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
});
