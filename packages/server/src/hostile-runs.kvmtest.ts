// Guests that do their worst, one after the other, through the server's own way of running them: each ends within its
// limit, and afterwards no process, file or memory of it is left. The runner is JavaScript: packages/kvm must be built.

import {readdirSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {childrenOf, skipKvmTests} from '@hyperscope/kvm';
import {readRecord} from '@hyperscope/trace';
import {kvmOfThisMachine} from './kvm-host.js';
import {postedProgram} from './kvm-program.js';
import type {Placement} from './kvm-program.js';
import {DEFAULT_LIMITS} from './limits.js';

const LIMITS = {...DEFAULT_LIMITS, seconds: 1, exits: 2000};
const never = new AbortController().signal;
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

const children = (): number => childrenOf(process.pid).length;
const files = (): number => readdirSync('/proc/self/fd').length;

const HOSTILE: readonly (readonly [what: string, code: string, mode: Placement['mode'], outcome: RegExp])[] = [
  ['spins', 'ebfe', 'long', /limit/],
  ['spins with interrupts off, in real mode', 'fa ebfe', 'real', /limit/],
  ['floods exits', 'e680 ebfc', 'long', /limit/],
  ['floods exits with string output', 'be00800000 b9ffff0000 f36e ebf2', 'protected', /limit/],
  ['faults three times', '0f0b', 'real', /.+/],
  ['loses its descriptor tables and faults', '31c0 0f22d8 0f0b', 'long', /SHUTDOWN|triple|limit|KVM/],
  ['loops inside KVM_RUN on some hosts (VMCALL)', '0f01c1 ebfb', 'long', /.+/],
  ['calls real-mode interrupts above 7Fh', 'cdff ebfc', 'real', /.+/],
  ['reads and writes where no memory is', 'bf00000030 8907 8b07 ebfa', 'long', /limit|halted|KVM/],
  ['executes what no processor knows', '0fff', 'long', /.+/],
  ['jumps into the void', 'b800000070 ffe0', 'long', /.+/],
  ['floods the ring of coalesced writes', 'bf00c00b00 b900400000 f3aa ebf2', 'long', /limit/],
];

/** With interrupt controllers in the kernel. The timer's interrupts, as fast as it can: the handler only says EOI. */
const WITH_IRQCHIP: readonly (readonly [what: string, code: string, outcome: RegExp])[] = [
  ['sleeps in the kernel for ever, interrupts on', 'fb f4 ebfd', /limit/],
  ['sleeps in the kernel for ever, interrupts off', 'fa f4', /halted|limit/],
  [
    'asks for a storm of timer interrupts',
    'fa 31c0 8ed8 c70680003280 8c0e8200 b011e620 b020e621 b004e621 b001e621 b0fee621 b034e643 b002e640 b000e640 fb ebfe 50 b020 e620 58 cf',
    /limit/,
  ],
];

describe.skipIf(skipKvmTests())('a guest that', {timeout: 120_000}, () => {
  const kvm = kvmOfThisMachine();
  test.each(HOSTILE)('%s ends, with words for it', async (_what, code, mode, outcome) => {
    const program = postedProgram(bytes(code), {at: 0x8000, mode}, 'exits', LIMITS);
    const start = performance.now();
    const record = await readRecord(await kvm.run(program, never));
    expect(record.outcome).toMatch(outcome);
    // Its second, the host's pace, and the time to start a process: far from for ever.
    expect(performance.now() - start).toBeLessThan(20_000);
  });

  test.each(WITH_IRQCHIP)('%s (irqchip in the kernel) ends, with words for it', async (_what, code, outcome) => {
    const program = postedProgram(
      bytes(code),
      {at: 0x8000, mode: 'real', memory: 1, irqchip: 'kernel'},
      'exits',
      LIMITS,
    );
    const start = performance.now();
    expect((await readRecord(await kvm.run(program, never))).outcome).toMatch(outcome);
    expect(performance.now() - start).toBeLessThan(20_000);
  });

  test('whatever they did, nothing of them is left', async () => {
    const spin = postedProgram(bytes('ebfe'), {at: 0x8000, mode: 'long'}, 'exits', LIMITS);
    await kvm.run(spin, never); // what is made once is there
    await new Promise(resolve => setTimeout(resolve, 100));
    const before = [children(), files()];
    for (const [, code, mode] of HOSTILE.slice(0, 4))
      await kvm.run(postedProgram(bytes(code), {at: 0x8000, mode}, 'exits', LIMITS), never);
    const leaving = new AbortController();
    const left = kvm.run(spin, leaving.signal);
    setTimeout(() => leaving.abort(), 200);
    await expect(left).rejects.toMatchObject({code: 'cancelled'});
    await expect.poll(() => [children(), files()], {timeout: 5000}).toEqual(before);
  });
});
