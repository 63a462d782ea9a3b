// What `hyperscope fuzz` understands; what it finds is tested where there is KVM (run/fuzz-on-kvm.kvmtest.ts).

import {expect, test} from 'vitest';
import {runInProcess} from '../testing/run-in-process.js';
import {FUZZ} from './fuzz.js';

const fuzz = (...args: readonly string[]) => runInProcess([FUZZ], ['fuzz', ...args]);

test.each([
  [['--mode', 'vm86'], 'There are real, protected, long, ring3, all.'],
  [['--instructions', '0'], '--instructions'],
  [['--seed', 'x'], '--seed'],
  [['guest.img'], 'takes no file'],
  [['--sed', '1'], 'Did you mean --seed?'],
])('%j is refused with advice', async (args, advice) => {
  expect(await fuzz(...args)).toMatchObject({status: 2, notes: expect.stringContaining(advice)});
});

test('--help says what is compared and what the statuses mean', async () => {
  const {status, out} = await fuzz('--help');
  expect(status).toBe(0);
  expect(out).toContain('drawn from the opcode table');
  expect(out).toMatch(/6 +there is no KVM/);
});
