// How a VMX instruction ends. It says so in the flags, like no other instruction (SDM vol. 3C, "Conventions"):
//
//   VMsucceed       CF PF AF ZF SF OF ← 0
//   VMfailInvalid   CF ← 1, the others 0: there is no current VMCS to put an error number into
//   VMfailValid(n)  ZF ← 1, the others 0: n is in the VM-instruction error field of the current VMCS

import type {Core} from '../cpu/core.js';
import type {Checks} from '../observer.js';
import type {VmInstructionError} from './instruction-errors.js';
import {NO_POINTER, Vmcs} from './vmcs.js';

const STATUS_FLAGS = 0x8d5n;
const CF = 1n;
const ZF = 1n << 6n;

/** What the instruction was given, for the sentence about it. */
export type Operands = readonly (readonly [name: string, value: string])[];

/** The current VMCS, or undefined when there is none. */
export function currentVmcs(core: Core): Vmcs | undefined {
  const pointer = core.registers.get('CURRENT_VMCS');
  return pointer === NO_POINTER ? undefined : new Vmcs(core.memory, Number(pointer));
}

function setStatus(core: Core, flags: bigint): void {
  core.registers.set('RFLAGS', (core.registers.get('RFLAGS') & ~STATUS_FLAGS) | flags);
}

export function succeed(core: Core, name: string, operands: Operands, checks: Checks = []): void {
  setStatus(core, 0n);
  if (core.observed)
    core.emit({kind: 'vmx-instruction', name, outcome: 'VMsucceed', error: undefined, operands, checks});
}

export function failInvalid(core: Core, name: string, operands: Operands, checks: Checks): void {
  setStatus(core, CF);
  if (core.observed)
    core.emit({kind: 'vmx-instruction', name, outcome: 'VMfailInvalid', error: undefined, operands, checks});
}

/** VMfail(n): valid or invalid, by whether there is a current VMCS. */
export function fail(core: Core, name: string, error: VmInstructionError, operands: Operands, checks: Checks): void {
  const vmcs = currentVmcs(core);
  if (vmcs === undefined) return failInvalid(core, name, operands, checks);
  setStatus(core, ZF);
  vmcs.set('VM_INSTRUCTION_ERROR', BigInt(error));
  if (core.observed) core.emit({kind: 'vmx-instruction', name, outcome: 'VMfailValid', error, operands, checks});
}
