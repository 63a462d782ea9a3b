// struct vcpu_svm: what kvm_amd keeps of a vCPU beside the VMCB. What the guest believes its control registers to be is kept
// here, because the VMCB holds what the processor needs instead. Linux, arch/x86/kvm/svm/svm.h; arch/x86/include/asm/
// kvm_host.h, struct kvm_vcpu_arch: cr0, cr3, cr4, efer.

import {hpa} from '@hyperscope/base';
import type {PhysicalMemory} from '@hyperscope/machine';
import {VCPU_STRUCT} from '../../host/host-layout.js';

const SLOTS = [
  'cr0',
  'cr3',
  'cr4',
  'efer',
  /** Entries of PAE paging, for the shadow MMU: with nested paging the processor reads them from the guest's memory. */
  'pdpte0',
  'pdpte1',
  'pdpte2',
  'pdpte3',
  /** 1 from the injection of an NMI until the guest's handler has executed IRET. */
  'nmi_masked',
  /** The IRET has been intercepted and is about to be executed; where it lies. */
  'awaiting_iret_completion',
  'nmi_iret_rip',
  /** The guest is stepped over one instruction, and whether RFLAGS.TF and RF were its own. */
  'nmi_singlestep',
  'nmi_singlestep_guest_rflags',
] as const;
export type SvmSlot = (typeof SLOTS)[number];

/** Behind what the generic half keeps in the page of kvm_vcpu. */
const OFFSET = 0xe00;
const OFFSET_OF: ReadonlyMap<SvmSlot, number> = new Map(SLOTS.map((slot, index) => [slot, OFFSET + 8 * index]));

export class VcpuSvm {
  readonly #memory: PhysicalMemory;

  constructor(memory: PhysicalMemory) {
    this.#memory = memory;
  }

  get(slot: SvmSlot): bigint {
    return this.#memory.read(hpa(VCPU_STRUCT + (OFFSET_OF.get(slot) ?? OFFSET)), 8);
  }
  set(slot: SvmSlot, value: bigint): void {
    this.#memory.write(hpa(VCPU_STRUCT + (OFFSET_OF.get(slot) ?? OFFSET)), 8, BigInt.asUintN(64, value));
  }
}
