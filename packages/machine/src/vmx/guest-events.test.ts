// Events of a guest that its hypervisor hears of: debug exceptions, task switches, virtual NMIs, instructions not enabled.

import {hpa} from '@hyperscope/base';
import {expect, test} from 'vitest';
import type {MachineEvent, VmExitInformation} from '../observer.js';
import {GUEST_CODE, machineWithGuest} from './testing/vmx-machine.js';
import type {VmxMachine} from './testing/vmx-machine.js';

const PRIMARY = 'PRIMARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS';
const PIN = 'PIN_BASED_VM_EXECUTION_CONTROLS';
const GDT = 0xa000,
  IDT = 0xb000,
  TSS = 0xc000;
const TASK = 0x20,
  BUSY_TASK = 0x28;
const TF = 0x100n;

function exitOf(made: VmxMachine, steps = 8): VmExitInformation | undefined {
  made.vmx.enter('VMLAUNCH');
  for (let step = 0; step < steps && made.machine.registers.get('VMX_OPERATION') === 2n; step++) made.machine.step();
  const event = made.events.find((each): each is Extract<MachineEvent, {kind: 'vm-exit'}> => each.kind === 'vm-exit');
  return event?.exit;
}

test.each([
  ['RDTSCP', [0x0f, 0x01, 0xf9]],
  ['RDTSCP, also where its exit is asked for', [0x0f, 0x01, 0xf9]],
])('%s is #UD in a guest until its control is 1', (name, code) => {
  const made = machineWithGuest(code);
  made.vmcs.set('EXCEPTION_BITMAP', 1n << 6n);
  if (name.includes('asked')) made.vmcs.set(PRIMARY, made.vmcs.get(PRIMARY) | (1n << 12n));
  expect(exitOf(made)).toMatchObject({reason: 0, interruptionInformation: 0x8000_0306});
  const enabled = machineWithGuest([...code, 0xf4]);
  const secondary = 'SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS';
  enabled.vmcs.set(secondary, enabled.vmcs.get(secondary) | 8n);
  expect(exitOf(enabled)).toMatchObject({reason: 12});
});

test('a #DB that exits tells why in the qualification and leaves DR6 alone', () => {
  const made = machineWithGuest([0x90, 0x90]);
  made.vmcs.set('EXCEPTION_BITMAP', 2n);
  made.vmcs.set('GUEST_RFLAGS', 2n | TF);
  made.machine.registers.set('DR6', 0xffff_0ff0n);
  expect(exitOf(made)).toMatchObject({reason: 0, qualification: 0x4000n, interruptionInformation: 0x8000_0301});
  expect(made.machine.registers.get('DR6')).toBe(0xffff_0ff0n);
});

test('a breakpoint and a single step after the same instruction are one #DB with both reasons', () => {
  const made = machineWithGuest([0xa2, 0x00, 0x10, 0x90]); // mov [1000h], al
  made.vmcs.set('EXCEPTION_BITMAP', 2n);
  made.vmcs.set('GUEST_RFLAGS', 2n | TF);
  made.vmcs.set('GUEST_DR7', 0x1_0402n | 0x1_0000n);
  made.machine.registers.set('DR0', 0x1000n);
  made.machine.registers.set('DR7', 0x1_0402n);
  expect(exitOf(made)).toMatchObject({reason: 0, qualification: 0x4001n});
});

/** A guest in 16-bit protected mode with a GDT, an IDT whose gate 6 and 21h are task gates, and two TSSs. */
function protectedGuest(...code: readonly number[]): VmxMachine {
  const made = machineWithGuest(code);
  const {memory} = made.machine;
  made.vmcs.set('GUEST_CR0', made.vmcs.get('GUEST_CR0') | 1n);
  made.vmcs.set('GUEST_GDTR_BASE', BigInt(GDT));
  made.vmcs.set('GUEST_IDTR_BASE', BigInt(IDT));
  made.vmcs.set('GUEST_GDTR_LIMIT', 0xffffn);
  memory.write(hpa(GDT + TASK), 8, 0x0000_8900_0000_0067n | (BigInt(TSS) << 16n));
  memory.write(hpa(GDT + BUSY_TASK), 8, 0x0000_8b00_0000_0067n | (BigInt(TSS) << 16n));
  for (const vector of [6, 0x21])
    memory.write(hpa(IDT + vector * 8), 8, 0x0000_8500_0000_0000n | (BigInt(TASK) << 16n));
  return made;
}

test.each([
  ['JMP', [0xea, 0, 0, TASK, 0], {qualification: 0x8000_0020n, instructionLength: 5, idtVectoringInformation: 0}],
  ['CALL', [0x9a, 0, 0, TASK, 0], {qualification: 0x0000_0020n, instructionLength: 5, idtVectoringInformation: 0}],
  ['an exception', [0x0f, 0x0b], {qualification: 0xc000_0020n, idtVectoringInformation: 0x8000_0306}],
  ['INT n', [0xcd, 0x21], {qualification: 0xc000_0020n, instructionLength: 2, idtVectoringInformation: 0x8000_0421}],
])('a task switch by %s leaves the guest with reason 9 before anything has happened', (_, code, expected) => {
  const made = protectedGuest(...code);
  expect(exitOf(made)).toMatchObject({reason: 9, guestRip: BigInt(GUEST_CODE), ...expected});
  expect(made.machine.memory.read(hpa(GDT + TASK + 5), 1)).toBe(0x89n);
});

test('a task switch that is not possible is the fault of the guest, and no exit', () => {
  const made = protectedGuest(0xea, 0, 0, BUSY_TASK, 0);
  made.vmcs.set('EXCEPTION_BITMAP', 1n << 13n);
  expect(exitOf(made)).toMatchObject({
    reason: 0,
    interruptionInformation: 0x8000_0b0d,
    interruptionErrorCode: BUSY_TASK,
  });
});

test('with virtual NMIs an injected NMI blocks the next, IRET opens the window, and NMI-window exiting tells', () => {
  const made = machineWithGuest([0x90, 0x90, 0xf4]);
  made.vmcs.set(PIN, made.vmcs.get(PIN) | 0x28n);
  made.vmcs.set(PRIMARY, made.vmcs.get(PRIMARY) | (1n << 22n));
  made.vmcs.set('GUEST_IDTR_BASE', 0x1000n);
  made.vmcs.set('GUEST_RSP', 0x7000n);
  made.vmcs.set('VM_ENTRY_INTERRUPTION_INFORMATION', 0x8000_0202n);
  made.machine.memory.write(hpa(0x1000 + 8), 4, 0x3000n);
  made.machine.memory.load(hpa(0x3000), Uint8Array.from([0x90, 0xcf])); // nop; iret
  const exit = exitOf(made);
  expect(exit).toMatchObject({reason: 8, guestRip: BigInt(GUEST_CODE)});
  expect(made.vmcs.get('GUEST_INTERRUPTIBILITY_STATE') & 8n).toBe(0n);
});

test('RDTSCP that is not enabled is #UD before CR4.TSD can make it #GP', () => {
  const made = machineWithGuest([0x0f, 0x01, 0xf9]);
  made.vmcs.set('GUEST_CR0', 0x31n);
  made.vmcs.set('GUEST_CR4', 0x2004n);
  made.vmcs.set('EXCEPTION_BITMAP', 0xffff_ffffn);
  for (const name of ['CS', 'SS', 'DS', 'ES', 'FS', 'GS'] as const) {
    made.vmcs.set(`GUEST_${name}_ACCESS_RIGHTS`, name === 'CS' ? 0xfbn : 0xf3n);
    made.vmcs.set(`GUEST_${name}_SELECTOR`, 3n);
  }
  expect(exitOf(made)).toMatchObject({reason: 0, interruptionInformation: 0x8000_0306});
});
