// What KVM's generic code tells its MMU, whichever it is: struct kvm_mmu. With nested paging the guest's own page tables
// are its own affair, and most of these do nothing; with shadow page tables each is work.
// Linux, arch/x86/kvm/mmu.h; Documentation/virt/kvm/x86/mmu.rst.

import type {Hpa} from '@hyperscope/base';
import type {HostRoutine} from '../host/host-program.js';
import type {MmuKind} from './hardware.js';
import type {Host} from './host-context.js';

/** An MMU that is not yet at work: KVM loads the one that it is told to use. */
export interface GuestMmuKind {
  readonly kind: MmuKind;
  /** What it adds to the kernel's code. */
  readonly routines: readonly HostRoutine<Host>[];
  create(host: Host): GuestMmu;
}

export interface GuestMmu {
  readonly kind: MmuKind;
  /** Makes the tables that a new vCPU starts with; undefined where they are made at the first entry. */
  create(): Hpa | undefined;
  /** Before an entry: the root for the guest's present paging registers, where it has to change. A clause for the screen. */
  reload(): string | undefined;
  /** The guest executed MOV to CR3; its CR3 is set. A clause for the screen. */
  guestLoadedCr3(): string;
  /** CR0, CR4 or EFER changed in bits that paging knows. */
  guestChangedMode(): void;
  guestInvalidated(linear: bigint): string;
  /** The instruction emulator wrote to the guest's RAM. */
  guestWrote(gpa: number, bytes: number): void;
}
