// A guest that executes nothing: what ends its turn all the same. And NMIs: whose blocking is whose.

import {hpa} from '@hyperscope/base';
import {expect, test} from 'vitest';
import {exitOf, runUntilExit, withPin, withPrimary} from './testing/exits.js';
import {HOST_RIP, machineWithGuest} from './testing/vmx-machine.js';
import type {VmxMachine} from './testing/vmx-machine.js';

const HLT_STATE = 1n,
  SHUTDOWN_STATE = 2n,
  WAIT_FOR_SIPI = 3n;

function resting(state: bigint): VmxMachine {
  const made = machineWithGuest([0x90, 0xf4]);
  made.vmcs.set('GUEST_ACTIVITY_STATE', state);
  return made;
}

test('the preemption timer ends the turn of a halted guest, at once in wall-clock time', () => {
  const made = withPin(resting(HLT_STATE), 'activate VMX-preemption timer');
  made.vmcs.set('VMX_PREEMPTION_TIMER_VALUE', 1_000_000n);
  const before = made.machine.registers.get('TSC');
  expect(exitOf(made, 3)).toMatchObject({reason: 52, guestRip: 0x8000n});
  expect(made.machine.registers.get('TSC') - before).toBeGreaterThanOrEqual(999_999n << 5n);
  expect(made.vmcs.get('GUEST_ACTIVITY_STATE')).toBe(HLT_STATE);
});

test('a guest that executes HLT itself is woken by the timer too', () => {
  const made = withPin(machineWithGuest([0xf4]), 'activate VMX-preemption timer');
  const primary = 'PRIMARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS';
  made.vmcs.set(primary, made.vmcs.get(primary) & ~0x80n);
  made.vmcs.set('VMX_PREEMPTION_TIMER_VALUE', 100n);
  expect(exitOf(made, 5)).toMatchObject({reason: 52, guestRip: 0x8001n});
});

test('a halted guest without a timer is called halted; an interrupt window opens in it', () => {
  const asleep = resting(HLT_STATE);
  expect(exitOf(asleep, 3)).toBeUndefined();
  expect(asleep.machine.step()).toEqual({kind: 'halted'});
  const window = withPrimary(resting(HLT_STATE), 'interrupt-window exiting');
  window.vmcs.set('GUEST_RFLAGS', 0x202n);
  expect(exitOf(window, 3)).toMatchObject({reason: 7, guestRip: 0x8000n});
});

test('an injected interrupt makes a halted guest active: its handler runs', () => {
  const made = resting(HLT_STATE);
  made.vmcs.set('GUEST_RFLAGS', 0x202n);
  made.vmcs.set('VM_ENTRY_INTERRUPTION_INFORMATION', 0x8000_0020n);
  made.vmx.enter('VMLAUNCH');
  expect(made.machine.registers.get('VMX_OPERATION')).toBe(2n);
  expect(made.machine.registers.get('ACTIVITY')).toBe(0n);
});

test('a guest in shutdown is left by the timer and by an NMI, not by an interrupt', () => {
  const timed = withPin(resting(SHUTDOWN_STATE), 'activate VMX-preemption timer');
  timed.vmcs.set('VMX_PREEMPTION_TIMER_VALUE', 100n);
  expect(exitOf(timed, 3)).toMatchObject({reason: 52});
  const made = withPin(resting(SHUTDOWN_STATE), 'NMI exiting', 'external-interrupt exiting');
  made.machine.pins.request(0x40);
  expect(exitOf(made, 3)).toBeUndefined();
  made.machine.pins.raiseNmi();
  expect(runUntilExit(made)).toMatchObject({reason: 0, interruptionInformation: 0x8000_0202});
});

test('a guest that waits for a SIPI executes nothing and takes nothing', () => {
  const made = withPin(resting(WAIT_FOR_SIPI), 'NMI exiting', 'activate VMX-preemption timer');
  made.vmcs.set('VMX_PREEMPTION_TIMER_VALUE', 10n);
  made.machine.pins.raiseNmi();
  expect(exitOf(made, 50)).toBeUndefined();
  expect(made.machine.registers.get('RIP')).toBe(0x8000n);
});

/** IRET at the guest's first instruction, with a frame that leads to HLT at 8001h. */
function returning(): VmxMachine {
  const made = machineWithGuest([0xcf, 0xf4]);
  made.machine.memory.write(hpa(0x7f00), 4, 0x8001n);
  made.machine.memory.write(hpa(0x7f04), 2, 2n);
  made.vmcs.set('GUEST_INTERRUPTIBILITY_STATE', 8n);
  return made;
}
const stillBlocked = (made: VmxMachine): bigint => made.vmcs.get('GUEST_INTERRUPTIBILITY_STATE') & 8n;

test('IRET lets NMIs through where they are the guest’s: really (no NMI exiting) or virtually', () => {
  const own = returning();
  expect(exitOf(own)).toMatchObject({reason: 12});
  expect(stillBlocked(own)).toBe(0n);
  const virtual = withPin(returning(), 'NMI exiting', 'virtual NMIs');
  expect(exitOf(virtual)).toMatchObject({reason: 12});
  expect(stillBlocked(virtual)).toBe(0n);
});

test('with NMI exiting alone IRET does not touch blocking by NMI', () => {
  const made = withPin(returning(), 'NMI exiting');
  expect(exitOf(made)).toMatchObject({reason: 12});
  expect(stillBlocked(made)).toBe(8n);
  expect(made.machine.registers.get('NMI_BLOCKING')).toBe(1n);
});

test('virtual NMIs: what the guest blocks holds no real NMI off, and what an NMI exit blocks is not the guest’s', () => {
  const made = withPin(machineWithGuest([0x90, 0x90, 0xf4]), 'NMI exiting', 'virtual NMIs');
  made.vmcs.set('GUEST_INTERRUPTIBILITY_STATE', 8n);
  made.vmx.enter('VMLAUNCH');
  made.machine.pins.raiseNmi();
  expect(runUntilExit(made)).toMatchObject({reason: 0, interruptionInformation: 0x8000_0202});
  expect(made.machine.registers.get('RIP')).toBe(HOST_RIP);
  expect(made.machine.registers.get('NMI_BLOCKING')).toBe(1n);
  expect(stillBlocked(made)).toBe(8n);
});

test('a guest with virtual NMIs that blocks none leaves a host that blocked NMIs with none blocked', () => {
  const made = withPin(machineWithGuest([0xf4]), 'NMI exiting', 'virtual NMIs');
  made.machine.registers.set('NMI_BLOCKING', 1n);
  expect(exitOf(made)).toMatchObject({reason: 12});
  expect(made.machine.registers.get('NMI_BLOCKING')).toBe(0n);
  expect(stillBlocked(made)).toBe(0n);
});

test('a pending monitor-trap-flag exit is injected as type 7 with vector 0: the guest gets no turn', () => {
  const made = resting(HLT_STATE);
  made.vmcs.set('VM_ENTRY_INTERRUPTION_INFORMATION', 0x8000_0700n);
  expect(exitOf(made)).toMatchObject({reason: 37, guestRip: 0x8000n});
  expect([made.vmcs.get('GUEST_ACTIVITY_STATE'), made.vmcs.launchState]).toEqual([HLT_STATE, 'launched']);
});

test('a pending debug exception wakes a halted guest and runs its handler; MOV SS holds it back', () => {
  const pending = (interruptibility: bigint): VmxMachine => {
    const made = resting(interruptibility === 0n ? HLT_STATE : 0n);
    made.vmcs.set('GUEST_RFLAGS', 0x102n);
    made.vmcs.set('GUEST_INTERRUPTIBILITY_STATE', interruptibility);
    made.vmcs.set('GUEST_PENDING_DEBUG_EXCEPTIONS', 0x4000n);
    made.machine.memory.write(hpa(4), 4, 0x9100n);
    made.machine.memory.load(hpa(0x9100), Uint8Array.of(0xf4));
    return made;
  };
  const woken = pending(0n);
  expect(exitOf(woken)).toMatchObject({reason: 12, guestRip: 0x9100n});
  expect(woken.machine.memory.read(hpa(0x7efa), 2)).toBe(0x8000n);
  // Behind MOV SS the NOP at 8000h runs first; its own single step reports.
  const held = pending(2n);
  expect(exitOf(held)).toMatchObject({reason: 12, guestRip: 0x9100n});
  expect(held.machine.memory.read(hpa(0x7efa), 2)).toBe(0x8001n);
});
