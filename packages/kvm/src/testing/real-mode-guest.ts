// For tests of the addon itself: a guest of a few bytes in real mode, and what a refused call looks like.

import {expect} from 'vitest';
import type {Vcpu} from '@hyperscope/native';
import {LAYOUT} from '../kvm-layout.js';

/** Matches the Error of a system call that the kernel refused. */
export const refused = (code: string, syscall: string): object =>
  expect.objectContaining({code, syscall, errno: expect.any(Number)});

/** What a call throws; fails when it does not. */
export function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('the call did not throw');
}

/** Real mode, CS base 0, IP 1000h, at these bytes. */
export function startAt(vcpu: Vcpu, memory: ArrayBuffer, code: readonly number[]): void {
  new Uint8Array(memory).set(code, 0x1000);
  const sregs = new Uint8Array(LAYOUT.kvm_sregs);
  vcpu.getSregs(sregs);
  sregs.fill(0, 0, 8);
  sregs.fill(0, LAYOUT['kvm_segment.selector'], LAYOUT['kvm_segment.selector'] + 2);
  vcpu.setSregs(sregs);
  const regs = new BigUint64Array(18);
  [regs[16], regs[17]] = [0x1000n, 2n];
  vcpu.setRegs(regs);
}
