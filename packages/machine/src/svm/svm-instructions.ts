// The SVM instructions for a hypervisor that is written in TypeScript: the same procedures that the decoded instructions run,
// with their checks and events. The VMCB itself it reads and writes as memory (vmcb.ts), as every hypervisor does on SVM.

import {assert} from '@hyperscope/base';
import {msrNumber} from '@hyperscope/isa';
import type {Machine} from '../machine.js';
import {writeMsr} from '../cpu/msrs.js';
import type {Trouble} from '../cpu/trouble.js';
import {vmload, vmsave} from './instructions.js';
import {EFER_SVME} from './msrs.js';
import {vmrun} from './world-switch.js';

const GUEST = 2n;

export class SvmInstructions {
  readonly #core: Machine;

  /** VMRUN is charged to the machine's clock by its cost model. */
  constructor(machine: Machine) {
    this.#core = machine;
  }

  /** WRMSR EFER with SVME set: from here on the other instructions exist. #GP(0) where VM_CR.SVMDIS forbids it. */
  enable(): Trouble | undefined {
    this.#requireHost();
    return writeMsr(this.#core.processor, msrNumber('IA32_EFER'), this.#core.registers.get('EFER') | BigInt(EFER_SVME));
  }
  /** WRMSR VM_HSAVE_PA: the page where VMRUN leaves the host's state. */
  setHostSaveArea(address: number): Trouble | undefined {
    this.#requireHost();
    return writeMsr(this.#core.processor, msrNumber('VM_HSAVE_PA'), BigInt(address));
  }
  /**
   * VMRUN with rAX = `address`. Afterwards RIP is in the guest, or, where the VMCB was refused, behind the VMRUN again: where
   * RIP was put before the call.
   */
  vmrun(address: number): Trouble | undefined {
    this.#requireEnabled();
    this.#core.registers.set('RAX', BigInt(address));
    this.#core.processor.charge(this.#core.costModel.vmEntry.cycles);
    return vmrun(this.#core, BigInt(address));
  }
  vmload(address: number): Trouble | undefined {
    this.#requireEnabled();
    return vmload(this.#core, BigInt(address));
  }
  vmsave(address: number): Trouble | undefined {
    this.#requireEnabled();
    return vmsave(this.#core, BigInt(address));
  }
  /** STGI or CLGI. */
  setGlobalInterruptFlag(value: 'set' | 'cleared'): void {
    this.#requireEnabled();
    this.#core.registers.set('GIF', value === 'set' ? 1n : 0n);
  }
  /** INVLPGA: one page of one guest's address space. */
  invlpga(linear: bigint, asid: number): void {
    this.#requireEnabled();
    this.#core.tlb.flushPageOfIdentifier(asid, linear);
  }

  #requireHost(): void {
    assert(this.#core.registers.get('VMX_OPERATION') !== GUEST, 'a hypervisor runs while its guest does not');
    assert(this.#core.registers.get('CPL') === 0n, 'SVM instructions need CPL 0');
  }
  /** Otherwise they would be #UD. */
  #requireEnabled(): void {
    this.#requireHost();
    assert((this.#core.registers.get('EFER') & BigInt(EFER_SVME)) !== 0n, 'SVM instructions need EFER.SVME = 1');
  }
}
