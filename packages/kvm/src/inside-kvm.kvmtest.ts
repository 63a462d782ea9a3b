// What KVM does inside, on the real device: by its tracepoints where this process may trace, by its counters everywhere.

import {spawnSync} from 'node:child_process';
import {describe, expect, test} from 'vitest';
import {insideEvents} from './testing/cpuid-guest.js';
import {openKernelTrace} from './tracepoints.js';
import {skipKvmTests} from './skip-kvm-tests.js';

/** Mounts tracefs for one process and what it starts, and for nobody else. */
const PRIVATE = 'mount -t tracefs nodev /sys/kernel/tracing && exec "$@"';
const vitest = ['node_modules/vitest/vitest.mjs', 'run', 'packages/kvm/src/inside-kvm.kvmtest.ts'];
const mayMount = spawnSync('unshare', ['-m', 'sh', '-c', PRIVATE, 'sh', 'true']).status === 0;

describe.skipIf(skipKvmTests())('inside KVM', {timeout: 60_000}, () => {
  test('the counters of a run are in its last step', () => {
    const {events} = insideEvents();
    expect(events.at(-1)).toMatchObject({kind: 'inside-kvm', name: 'statistics'});
    expect(events.at(-1)?.text).toMatch(/exits \d+/);
  });

  test('a process that may not trace says what is missing; one that may sees CPUID answered inside', () => {
    const {events, untraced} = insideEvents();
    if (untraced === undefined) {
      const names = events.map(({name}) => name);
      // kvm_exit on VMX and SVM hosts; kvm_emulate_insn where KVM carries the instruction out itself.
      expect(names.includes('kvm_exit') || names.includes('kvm_emulate_insn')).toBe(true);
      expect(names).toContain('kvm_cpuid');
      expect(events.find(({name}) => name === 'kvm_cpuid')?.text).toContain('rax');
    } else expect(untraced).toMatch(/tracefs|root|tracepoint/);
  });

  test('closing a trace gives its files back', () => {
    const tracing = openKernelTrace();
    if (!tracing.available) return expect(tracing.why.length).toBeGreaterThan(10);
    tracing.trace.close();
    return expect(() => tracing.trace.take()).toThrow('closed Tracepoints');
  });

  test.skipIf(process.env['HYPERSCOPE_TRACED'] === '1' || !mayMount)('and with tracefs mounted, the same tests', () => {
    const {status, stdout} = spawnSync('unshare', ['-m', 'sh', '-c', PRIVATE, 'sh', process.execPath, ...vitest], {
      encoding: 'utf8',
      env: {...process.env, HYPERSCOPE_TRACED: '1', HYPERSCOPE_COUNTS: undefined},
    });
    expect(status, stdout).toBe(0);
  });
});
