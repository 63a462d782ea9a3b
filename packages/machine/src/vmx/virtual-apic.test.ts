// CR8 of a guest: the register, an exit, or four bits of the virtual-APIC page.

import {hpa} from '@hyperscope/base';
import {expect, test} from 'vitest';
import {exitOf, runUntilExit, withPrimary} from './testing/exits.js';
import {machineWithLongGuest} from './testing/vmx-machine.js';
import type {VmxMachine} from './testing/vmx-machine.js';

const PAGE = 0x2_0000;
const VTPR = hpa(PAGE + 0x80);
// mov eax, cr8; mov ecx, eax; mov eax, <n>; mov cr8, eax; hlt: LOCK before MOV CR0 would name CR8 on other processors, so REX.R in 64-bit mode it is.
const READ = [0x44, 0x0f, 0x20, 0xc0];
const write = (value: number): readonly number[] => [0xb8, value, 0, 0, 0, 0x44, 0x0f, 0x22, 0xc0];
const HLT = 0xf4;

/** A 64-bit guest whose virtual-APIC page has a task priority. */
function longGuest(priority: number, ...code: readonly number[]): VmxMachine {
  const made = machineWithLongGuest(code);
  const {vmcs, machine} = made;
  vmcs.set('VIRTUAL_APIC_ADDRESS', BigInt(PAGE));
  machine.memory.write(VTPR, 4, BigInt(priority << 4));
  return made;
}

test('without a TPR shadow CR8 is the register', () => {
  const made = longGuest(7, ...write(5), ...READ, HLT);
  expect(exitOf(made)).toMatchObject({reason: 12});
  const r = made.machine.registers;
  expect([r.get('CR8'), r.get('RAX'), made.machine.memory.read(VTPR, 4)]).toEqual([5n, 5n, 0x70n]);
});

test('with it, MOV from CR8 reads VTPR[7:4] and MOV to CR8 writes it, clears the rest and leaves the register alone', () => {
  const made = withPrimary(longGuest(7, ...READ, 0x89, 0xc1, ...write(5), HLT), 'use TPR shadow');
  made.machine.memory.write(VTPR, 4, 0x1234_567fn);
  made.machine.registers.set('CR8', 2n);
  expect(exitOf(made)).toMatchObject({reason: 12});
  const r = made.machine.registers;
  expect([r.get('RCX'), made.machine.memory.read(VTPR, 4), r.get('CR8')]).toEqual([7n, 0x50n, 2n]);
});

test('a task priority below the threshold is an exit behind the instruction, whose effect stays', () => {
  const made = withPrimary(longGuest(7, ...write(3), HLT), 'use TPR shadow');
  made.vmcs.set('TPR_THRESHOLD', 4n);
  const exit = exitOf(made);
  expect(exit).toMatchObject({reason: 43, guestRip: 0x8009n, instructionLength: 0, qualification: 0n});
  expect(exit?.checks.map(each => each.rule)).toEqual(['use TPR shadow = 1', 'VTPR[7:4] < TPR threshold']);
  expect(made.machine.memory.read(VTPR, 4)).toBe(0x30n);
  expect(made.vmcs.get('GUEST_RIP')).toBe(0x8009n);
});

test('a priority at the threshold is no exit', () => {
  const made = withPrimary(longGuest(7, ...write(4), HLT), 'use TPR shadow');
  made.vmcs.set('TPR_THRESHOLD', 4n);
  expect(exitOf(made)).toMatchObject({reason: 12});
});

test('CR8-load and CR8-store exiting come before the shadow, and #GP before it too', () => {
  const load = withPrimary(longGuest(7, ...write(3)), 'use TPR shadow', 'CR8-load exiting');
  expect(exitOf(load)).toMatchObject({reason: 28, qualification: 8n, instructionLength: 4});
  const store = withPrimary(longGuest(7, ...READ), 'use TPR shadow', 'CR8-store exiting');
  expect(exitOf(store)).toMatchObject({reason: 28, qualification: 0x18n});
  const bad = withPrimary(longGuest(7, ...write(0x10)), 'use TPR shadow');
  bad.vmcs.set('EXCEPTION_BITMAP', 1n << 13n);
  expect(exitOf(bad)).toMatchObject({reason: 0, interruptionInformation: 0x8000_0b0d});
});

test('an entry with a threshold above VTPR[7:4] fails with error 7, and so does one with reserved bits', () => {
  for (const threshold of [8n, 0x10n]) {
    const made = withPrimary(longGuest(7, HLT), 'use TPR shadow');
    made.vmcs.set('TPR_THRESHOLD', threshold);
    exitOf(made);
    expect(made.vmx.outcome).toBe('VMfailValid');
    expect(made.vmcs.get('VM_INSTRUCTION_ERROR')).toBe(7n);
  }
});

test('a single step of that instruction is pending at the exit, and is delivered at the next entry', () => {
  const made = withPrimary(longGuest(7, ...write(3), HLT), 'use TPR shadow');
  made.vmcs.set('TPR_THRESHOLD', 4n);
  made.vmcs.set('EXCEPTION_BITMAP', 2n);
  made.vmcs.set('GUEST_RFLAGS', 0x102n);
  made.vmcs.set('GUEST_RIP', 0x8005n);
  made.machine.registers.set('RAX', 3n);
  expect(exitOf(made)).toMatchObject({reason: 43, guestRip: 0x8009n});
  expect(made.vmcs.get('GUEST_PENDING_DEBUG_EXCEPTIONS')).toBe(0x4000n);
  made.vmcs.set('TPR_THRESHOLD', 0n);
  made.vmx.enter('VMRESUME');
  expect(runUntilExit(made)).toMatchObject({
    reason: 0,
    qualification: 0x4000n,
    interruptionInformation: 0x8000_0301,
    guestRip: 0x8009n,
  });
  expect(made.vmcs.get('GUEST_PENDING_DEBUG_EXCEPTIONS')).toBe(0n);
});
