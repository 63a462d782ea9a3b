// What is measured of a KVM: a guest of a few instructions for each kind of exit, in 64-bit ring 0, and who answers it.

import type {RegisterValues} from '@hyperscope/vmm';

export interface Operation {
  readonly id: string;
  readonly title: string;
  /**
   * 'kvm': it stays inside, so many of them are timed between two exits and the loop's own time is taken off. 'user-space':
   * each is one return of KVM_RUN, timed by itself.
   */
  readonly answeredBy: 'kvm' | 'user-space';
  /** The instructions, in hexadecimal; they may use RAX, RBX, RCX, RDX and RDI. */
  readonly code: string;
  readonly registers?: RegisterValues;
  /** Needs interrupt controllers and a timer in the kernel. */
  readonly irqchip?: 'kernel';
  /** Touches pages that the guest has not touched before: 'fresh' gives each sample pages of its own, from RDI. */
  readonly pages?: 'fresh';
  /** A probe of the fingerprint, and the answer with which the operation must not be tried here. */
  readonly unless?: {readonly probe: string; readonly answers: readonly string[]; readonly why: string};
}

/** A guest-physical address without memory, below 1 GiB, which is what the measuring guest maps. */
const NO_MEMORY = 0x3000_0000n;

export const OPERATIONS: readonly Operation[] = [
  {id: 'cpuid', title: 'CPUID', answeredBy: 'kvm', code: '31c031c90fa2'},
  {id: 'rdmsr', title: 'RDMSR of STAR', answeredBy: 'kvm', code: 'b9810000c00f32'},
  {
    id: 'pio-kernel',
    title: 'IN from port 61h (the PIT, in the kernel)',
    answeredBy: 'kvm',
    code: 'e461',
    irqchip: 'kernel',
  },
  {
    id: 'page-touch',
    title: 'first touch of a page of RAM',
    answeredBy: 'kvm',
    code: '88074881c700100000',
    pages: 'fresh',
  },
  {
    id: 'hypercall',
    title: 'VMCALL that KVM does not know',
    answeredBy: 'kvm',
    code: 'b8ffff00000f01c1',
    unless: {
      probe: 'cpl0_vmcall',
      answers: ['loops', '#UD'],
      why: 'on this host VMCALL does not come to an end (the fingerprint saw it)',
    },
  },
  {id: 'pio-user', title: 'OUT to port 80h', answeredBy: 'user-space', code: 'e680'},
  {id: 'pio-read-user', title: 'IN from port 81h', answeredBy: 'user-space', code: 'e481'},
  {
    id: 'mmio-user',
    title: 'MOV to memory that is a device',
    answeredBy: 'user-space',
    code: '8807',
    registers: {RDI: NO_MEMORY},
  },
  {id: 'hlt-user', title: 'HLT', answeredBy: 'user-space', code: 'f4'},
];
