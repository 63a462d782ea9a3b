// A machine with VT-x for tests: in 64-bit ring 0, with a VMCS whose guest and host are valid and as plain as possible.

import {hpa} from '@hyperscope/base';
import {DESCRIPTOR_REGISTERS} from '@hyperscope/isa';
import type {VmcsFieldName} from '@hyperscope/isa';
import {WESTMERE_COSTS} from '../../cpu/cost-model.js';
import {WESTMERE} from '../../cpu/profiles.js';
import type {ProcessorProfile} from '../../cpu/core.js';
import {Machine} from '../../machine.js';
import type {MachineEvent} from '../../observer.js';
import {VMX_CAPABILITIES} from '../capabilities.js';
import {VMX_HELPERS} from '../instructions.js';
import {createVmxUnit} from '../unit.js';
import {Vmcs} from '../vmcs.js';
import {VmxInstructions} from '../vmx-instructions.js';

export const VMXON_REGION = 0x4000;
export const VMCS_A = 0x5000;
export const VMCS_B = 0x6000;
/** Root of the EPT, its tables behind it: the first 2 MiB are mapped to themselves. */
export const EPT = 0x1_0000;
export const GUEST_CODE = 0x8000;
export const HOST_RIP = 0x9000n;

export interface VmxMachine {
  readonly machine: Machine;
  readonly vmx: VmxInstructions;
  readonly vmcs: Vmcs;
  readonly events: MachineEvent[];
}

/** In 64-bit ring 0 with VMXE set, outside VMX operation; the regions have their revision identifiers. */
export function machineBeforeVmxon(profile: ProcessorProfile = WESTMERE): VmxMachine {
  const machine = new Machine({
    memoryBytes: 0x20_0000,
    profile,
    costModel: WESTMERE_COSTS,
    virtualization: {unit: createVmxUnit(profile), helpers: VMX_HELPERS},
  });
  const r = machine.registers;
  r.set('CR0', 0x8005_0033n);
  r.set('CR4', 0x26a0n);
  r.set('EFER', 0xd01n);
  r.set('FEATURE_CONTROL', 5n);
  r.set('CPL', 0n);
  r.setSegment('CS', {selector: 0x10, base: 0n, limit: 0xffff_ffff, attributes: 0xa09b});
  for (const region of [VMXON_REGION, VMCS_A, VMCS_B]) {
    machine.memory.write(hpa(region), 4, BigInt(VMX_CAPABILITIES.revision));
  }
  const events: MachineEvent[] = [];
  machine.observe({willWrite: () => undefined, event: event => events.push(event)});
  return {machine, vmx: new VmxInstructions(machine), vmcs: new Vmcs(machine.memory, VMCS_A), events};
}

/** In VMX root operation, with VMCS_A current, clear, and good for a real-mode guest at GUEST_CODE. */
export function machineWithGuest(code: readonly number[] = [0xf4], profile: ProcessorProfile = WESTMERE): VmxMachine {
  const made = machineBeforeVmxon(profile);
  made.vmx.vmxon(VMXON_REGION);
  made.vmx.vmclear(VMCS_A);
  made.vmx.vmptrld(VMCS_A);
  for (const [name, value] of [...CONTROLS, ...HOST, ...GUEST]) made.vmx.vmwrite(name, value);
  for (const name of DESCRIPTOR_REGISTERS) {
    made.vmx.vmwrite(`GUEST_${name}_LIMIT`, 0xffffn);
    made.vmx.vmwrite(`GUEST_${name}_ACCESS_RIGHTS`, RIGHTS[name]);
  }
  const {memory} = made.machine;
  memory.write(hpa(EPT), 8, BigInt(EPT + 0x1000) | 7n);
  memory.write(hpa(EPT + 0x1000), 8, BigInt(EPT + 0x2000) | 7n);
  memory.write(hpa(EPT + 0x2000), 8, 0xb7n); // 2 MiB, write-back, RWX
  memory.load(hpa(GUEST_CODE), Uint8Array.from(code));
  made.events.length = 0;
  return made;
}

const RIGHTS = {ES: 0x93n, CS: 0x9bn, SS: 0x93n, DS: 0x93n, FS: 0x93n, GS: 0x93n, LDTR: 0x1_0000n, TR: 0x8bn} as const;

const CONTROLS: readonly (readonly [VmcsFieldName, bigint])[] = [
  ['PIN_BASED_VM_EXECUTION_CONTROLS', 0x16n],
  // HLT exiting, secondary controls.
  ['PRIMARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS', 0x0400_6172n | (1n << 7n) | (1n << 31n)],
  // EPT, unrestricted guest.
  ['SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS', 0x82n],
  // 64-bit host; EFER saved and loaded.
  ['VM_EXIT_CONTROLS', 0x3_6dfbn | (1n << 9n) | (1n << 20n) | (1n << 21n)],
  ['VM_ENTRY_CONTROLS', 0x11fbn | (1n << 15n)],
  ['EPT_POINTER', BigInt(EPT) | 0x1en],
  ['VMCS_LINK_POINTER', 0xffff_ffff_ffff_ffffn],
];

const HOST: readonly (readonly [VmcsFieldName, bigint])[] = [
  ['HOST_CR0', 0x8005_0033n],
  ['HOST_CR4', 0x26a0n],
  ['HOST_IA32_EFER', 0xd01n],
  ['HOST_CS_SELECTOR', 0x10n],
  ['HOST_TR_SELECTOR', 0x40n],
  ['HOST_RIP', HOST_RIP],
  ['HOST_RSP', 0x7000n],
];

const GUEST: readonly (readonly [VmcsFieldName, bigint])[] = [
  ['GUEST_CR0', 0x30n],
  ['GUEST_CR4', 0x2000n],
  ['GUEST_RIP', BigInt(GUEST_CODE)],
  ['GUEST_RSP', 0x7f00n],
  ['GUEST_RFLAGS', 2n],
  ['GUEST_DR7', 0x400n],
  ['GUEST_IDTR_LIMIT', 0x3ffn],
];

/** Page tables of a 64-bit guest: its first 2 MiB, mapped one to one. */
const GUEST_TABLES = 0x2_1000;

/** The same with a guest in 64-bit mode, at CPL 0. */
export function machineWithLongGuest(
  code: readonly number[] = [0xf4],
  profile: ProcessorProfile = WESTMERE,
): VmxMachine {
  const made = machineWithGuest(code, profile);
  const {vmcs, machine} = made;
  for (const [level, next] of [0x1000, 0x2000].entries())
    machine.memory.write(hpa(GUEST_TABLES + 0x1000 * level), 8, BigInt(GUEST_TABLES + next) | 7n);
  machine.memory.write(hpa(GUEST_TABLES + 0x2000), 8, 0x87n);
  vmcs.set('GUEST_CR0', 0x8000_0031n);
  vmcs.set('GUEST_CR3', BigInt(GUEST_TABLES));
  vmcs.set('GUEST_CR4', 0x2020n);
  vmcs.set('GUEST_IA32_EFER', 0x500n);
  vmcs.set('GUEST_CS_ACCESS_RIGHTS', 0xa09bn);
  vmcs.set('GUEST_CS_LIMIT', 0xffff_ffffn);
  vmcs.set('VM_ENTRY_CONTROLS', vmcs.get('VM_ENTRY_CONTROLS') | (1n << 9n));
  return made;
}
