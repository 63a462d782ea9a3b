// The VMX instructions for a hypervisor that is written in TypeScript: the same procedures that the decoded instructions
// run, with their checks, flags and events. It is the only way by which packages/vmm touches a VMCS.

import {assert} from '@hyperscope/base';
import {vmcsField} from '@hyperscope/isa';
import type {VmcsFieldName} from '@hyperscope/isa';
import type {Machine} from '../machine.js';
import type {Trouble} from '../cpu/trouble.js';
import {invept, invvpid, vmclear, vmptrld, vmread, vmwrite, vmxoff, vmxon} from './instructions.js';
import {enterGuest} from './vm-entry.js';
import type {EntryInstruction} from './vm-entry.js';

export type VmxOutcome = 'VMsucceed' | 'VMfailInvalid' | 'VMfailValid';

export class VmxInstructions {
  readonly #core: Machine;

  /** Every instruction is charged to the machine's clock by its cost model. */
  constructor(machine: Machine) {
    this.#core = machine;
  }

  /** How the last VMX instruction ended, as the flags say it. */
  get outcome(): VmxOutcome {
    if (this.#core.registers.flag('CF')) return 'VMfailInvalid';
    return this.#core.registers.flag('ZF') ? 'VMfailValid' : 'VMsucceed';
  }

  /** #UD or #GP(0), where VMXON faults. */
  vmxon(address: number): Trouble | undefined {
    return vmxon(this.#core, BigInt(address));
  }
  vmxoff(): void {
    this.#requireRoot();
    vmxoff(this.#core);
  }
  vmclear(address: number): VmxOutcome {
    this.#requireRoot();
    vmclear(this.#core, BigInt(address));
    return this.outcome;
  }
  vmptrld(address: number): VmxOutcome {
    this.#requireRoot();
    vmptrld(this.#core, BigInt(address));
    return this.outcome;
  }
  vmread(field: VmcsFieldName): bigint {
    this.#requireRoot();
    this.#core.processor.charge(this.#core.costModel.vmread.cycles);
    const value = vmread(this.#core, BigInt(vmcsField(field).encoding));
    assert(value !== undefined, `VMREAD of ${field} fails only without a current VMCS`);
    return value;
  }
  vmwrite(field: VmcsFieldName, value: bigint): VmxOutcome {
    this.#requireRoot();
    this.#core.processor.charge(this.#core.costModel.vmwrite.cycles);
    vmwrite(this.#core, BigInt(vmcsField(field).encoding), value);
    return this.outcome;
  }
  /** VMLAUNCH or VMRESUME. Afterwards RIP is in the guest, at HOST_RIP (a late failure), or where it was (VMfail). */
  enter(how: EntryInstruction): void {
    this.#requireRoot();
    this.#core.processor.charge(this.#core.costModel.vmEntry.cycles);
    enterGuest(this.#core, how);
  }
  /** Single-context INVEPT. */
  invept(eptPointer: bigint): VmxOutcome {
    this.#requireRoot();
    invept(this.#core, 1n, eptPointer, 0n);
    return this.outcome;
  }

  /** INVVPID: 'all of it' is type 1, a linear address type 0. */
  invvpid(vpid: number, what: bigint | 'all of it'): VmxOutcome {
    this.#requireRoot();
    if (what === 'all of it') invvpid(this.#core, 1n, BigInt(vpid), 0n);
    else invvpid(this.#core, 0n, BigInt(vpid), what);
    return this.outcome;
  }

  /** In the guest these would exit, above CPL 0 they would fault; a hypervisor that does either has lost its way. */
  #requireRoot(): void {
    assert(
      this.#core.registers.get('VMX_OPERATION') === 1n,
      'VMX instructions of a hypervisor are executed in VMX root operation',
    );
    assert(this.#core.registers.get('CPL') === 0n, 'VMX instructions need CPL 0');
  }
}
