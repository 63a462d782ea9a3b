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

test.each([
  ['--vmcs', ['controls', 'host state', 'guest state']],
  ['--vmcb', ['guest state']],
])('%s attempts entries of damaged control blocks and says how they ended', async (option, endings) => {
  const {status, out} = await fuzz(option, '-n', '500', '--seed', '9');
  expect(status).toBe(0);
  expect(out).toContain('500 entries');
  for (const ending of [...endings, 'entered']) expect(out).toMatch(new RegExp(`${ending} +\\d+`));
  expect(out).toContain('0 findings');
});

test('options of the other kind are refused', async () => {
  expect(await fuzz('--vmcs', '--shrink')).toMatchObject({status: 2, notes: expect.stringContaining('--shrink')});
  expect(await fuzz('--vmcs', '--vmcb')).toMatchObject({status: 2});
});

test('--help says what is compared and what the statuses mean', async () => {
  const {status, out} = await fuzz('--help');
  expect(status).toBe(0);
  expect(out).toContain('drawn from the opcode table');
  expect(out).toMatch(/6 +there is no KVM/);
});
