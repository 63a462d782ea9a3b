// A hypervisor that says "clean" and has changed the field all the same.

import {hpa} from '@hyperscope/base';
import {expect, test} from 'vitest';
import {withFeature} from '../cpu/features.js';
import {GUEST_CODE, HOST_CODE, SVM_PROFILE, VMCB, svmMachine} from './testing/svm-machine.js';
import type {SvmMachine} from './testing/svm-machine.js';
import {Vmcb} from './vmcb.js';

const CPUID_HLT = [0x0f, 0xa2, 0xf4];
const HLT = 0x78n,
  CPUID = 0x72n;
const I = 1n,
  ASID = 4n,
  CRX = 0x20n,
  SEG = 0x100n;
const keeping = (code: readonly number[] = CPUID_HLT): SvmMachine =>
  svmMachine(code, undefined, withFeature(SVM_PROFILE, 'vmcbClean', 'on'));

function turn(made: SvmMachine, vmcb: Vmcb = made.vmcb): bigint {
  vmcb.set('RIP', BigInt(GUEST_CODE));
  made.machine.registers.set('RIP', BigInt(HOST_CODE));
  made.machine.registers.set('RAX', BigInt(vmcb.address));
  made.run();
  return vmcb.get('EXITCODE');
}
/** Asks for exits at CPUID, with these bits called clean. */
function askForCpuid({vmcb}: SvmMachine, clean: bigint): void {
  vmcb.set('INTERCEPT_WORD_3', vmcb.get('INTERCEPT_WORD_3') | (1n << 18n));
  vmcb.set('CLEAN_BITS', clean);
}

test('an intercept that was added is not seen while its bit says clean, and is as soon as it does not', () => {
  const made = keeping();
  expect(turn(made)).toBe(HLT);
  askForCpuid(made, I);
  expect(turn(made)).toBe(HLT);
  made.vmcb.set('CLEAN_BITS', ASID | CRX | SEG);
  expect(turn(made)).toBe(CPUID);
});

test('without the feature every VMRUN reads everything', () => {
  const made = svmMachine(CPUID_HLT);
  expect(turn(made)).toBe(HLT);
  askForCpuid(made, 0xffff_ffffn);
  expect(turn(made)).toBe(CPUID);
});

test('at the first VMRUN, and with another VMCB, clean bits count for nothing', () => {
  const made = keeping();
  askForCpuid(made, I);
  expect(turn(made)).toBe(CPUID);
  const {memory} = made.machine;
  memory.load(hpa(0x7000), memory.bytes.slice(VMCB, VMCB + 0x1000));
  const other = new Vmcb(memory, 0x7000);
  other.set('INTERCEPT_WORD_3', other.get('INTERCEPT_WORD_3') & ~(1n << 18n));
  expect(turn(made, other)).toBe(HLT);
});

test('a stale clean bit keeps state too: CR0 and segments as #VMEXIT left them', () => {
  // smsw ax; mov bx, ds; hlt
  const made = keeping([0x0f, 0x01, 0xe0, 0x8c, 0xdb, 0xf4]);
  const {vmcb, machine} = made;
  turn(made);
  vmcb.set('CR0', 0x12n);
  vmcb.set('DS_SELECTOR', 0x1234n);
  vmcb.set('CLEAN_BITS', CRX | SEG);
  turn(made);
  expect([vmcb.get('RAX') & 0xffffn, machine.registers.get('RBX') & 0xffffn, vmcb.get('CR0')]).toEqual([
    0x10n,
    0n,
    0x10n,
  ]);
  vmcb.set('CR0', 0x12n);
  vmcb.set('DS_SELECTOR', 0x1234n);
  vmcb.set('CLEAN_BITS', 0n);
  turn(made);
  expect([vmcb.get('RAX') & 0xffffn, machine.registers.get('RBX') & 0xffffn]).toEqual([0x12n, 0x1234n]);
});

test('what has no clean bit is always read: RIP, and the event to inject', () => {
  const made = keeping();
  turn(made);
  made.machine.memory.write(hpa(4 * 0x21), 4, 0x8100n);
  made.machine.memory.load(hpa(0x8100), Uint8Array.of(0xf4));
  made.vmcb.set('EVENTINJ', 0x8000_0021n);
  made.vmcb.set('CLEAN_BITS', 0xffff_ffffn);
  turn(made);
  expect(made.vmcb.get('RIP')).toBe(0x8100n);
});

test('a bad value behind a clean bit is not checked: it is not read', () => {
  const made = keeping();
  turn(made);
  made.vmcb.set('GUEST_ASID', 0n);
  made.vmcb.set('CLEAN_BITS', ASID);
  expect(turn(made)).toBe(HLT);
  made.vmcb.set('CLEAN_BITS', 0n);
  expect(turn(made)).toBe(0xffff_ffff_ffff_ffffn);
});

const SPIN = [0xf3, 0x90, 0x40, 0xeb, 0xfb]; // pause; inc ax; jmp $-3
function pausing(count: bigint, threshold: bigint, code: readonly number[] = SPIN): SvmMachine {
  const profile = withFeature(withFeature(SVM_PROFILE, 'pauseFilter', 'on'), 'pauseFilterThreshold', 'on');
  const made = svmMachine(code, undefined, profile);
  made.vmcb.set('INTERCEPT_WORD_3', made.vmcb.get('INTERCEPT_WORD_3') | (1n << 23n));
  made.vmcb.set('PAUSE_FILTER_COUNT', count);
  made.vmcb.set('PAUSE_FILTER_THRESHOLD', threshold);
  return made;
}

test.each([
  [0n, 0n],
  [1n, 0n],
  [5n, 4n],
])('a PAUSE filter of %i lets %i PAUSEs pass', (count, passed) => {
  const made = pausing(count, 0n);
  made.run();
  expect([made.vmcb.get('EXITCODE'), made.vmcb.get('RAX') & 0xffffn]).toEqual([0x77n, passed]);
  expect(turn(made)).toBe(0x77n);
  expect(made.vmcb.get('RAX') & 0xffffn).toBe(2n * passed);
});

test('PAUSEs further apart than the threshold begin the count anew', () => {
  const made = pausing(3n, 1n);
  made.run();
  expect(made.machine.registers.get('VMX_OPERATION')).toBe(2n);
  const close = pausing(3n, 1000n);
  close.run();
  expect(close.vmcb.get('EXITCODE')).toBe(0x77n);
});
