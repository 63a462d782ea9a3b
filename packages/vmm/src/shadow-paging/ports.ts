// What the shadow MMU needs of the hypervisor that uses it, and what it gives. It serves every technique whose hardware walks
// one set of page tables: trap-and-emulate, binary translation, VT-x without EPT, SVM without nested paging. It knows no
// VMCS and no vCPU structure, only guest-physical memory, the guest's paging registers, and pages of host memory.
// Linux, Documentation/virt/kvm/x86/mmu.rst; Adams and Agesen 2006, sections 2.3 and 2.4.

import type {Gpa, Hpa} from '@hyperscope/base';

/** The guest's paging registers, as the guest believes them to be. */
export interface GuestPaging {
  readonly cr0: bigint;
  readonly cr3: bigint;
  readonly cr4: bigint;
  readonly efer: bigint;
  /** The four PDPTEs that PAE paging loaded at MOV CR3. */
  readonly pdptes: readonly bigint[];
}

/** What lies behind a guest-physical page. */
export type Backing =
  | {readonly kind: 'ram'; readonly host: Hpa}
  /** Reads go to memory, writes to a device or nowhere: a ROM. */
  | {readonly kind: 'read-only'; readonly host: Hpa}
  | {readonly kind: 'device'};

/** Who the guest's code is for the page tables' U/S bit, which a deprivileged guest kernel cannot show with its real CPL. */
export interface GuestAccess {
  readonly linear: bigint;
  readonly kind: 'read' | 'write' | 'fetch';
  /** The guest's own CPL, virtual where it is deprivileged: 3 is user, all else supervisor. */
  readonly privilege: 'user' | 'supervisor';
  /** RFLAGS.AC, for SMAP. */
  readonly ac: boolean;
}

export interface ShadowHost {
  paging(): GuestPaging;
  backing(gpa: Gpa): Backing;
  /** Host-physical memory: shadow tables, and guest tables behind `backing`. All writes go through here, so they are recorded. */
  read(at: Hpa, bytes: 4 | 8): bigint;
  write(at: Hpa, bytes: 4 | 8, value: bigint): void;
  /** Forgets the hardware's translations of one linear page, or all of them. */
  flushTlb(linear?: bigint): void;
  tell(event: ShadowEvent): void;
}

/**
 * How the hardware that walks the shadow is set up: its paging format, and the privileges at which it runs guest code. Where
 * guest kernel and guest user share ring 3, each needs a root of its own (`views: 2`).
 */
export interface ShadowHardware {
  readonly format: '4-level' | 'PAE' | '32-bit';
  readonly noExecute: 'on' | 'off';
  /** 1: guest kernel code runs as supervisor; 2: it runs as user (ring 3), with a root for it and one for its users. */
  readonly views: 1 | 2;
}

/** A #PF at a linear address, judged. */
export type ShadowVerdict =
  /** The guest's own tables allow the access; the shadow is mended: repeat the instruction. */
  | {readonly kind: 'hidden'; readonly gpa: Gpa}
  /** The guest's own tables refuse: the guest gets #PF with this error code, and CR2 ← the address. */
  | {readonly kind: 'true'; readonly errorCode: number}
  /** No RAM there, or a write to a ROM: carry the instruction out in software. */
  | {readonly kind: 'device'; readonly gpa: Gpa}
  /** A write to a write-protected guest page table: carry the instruction out in software, then call `guestWrote`. */
  | {readonly kind: 'page-table-write'; readonly gpa: Gpa}
  /** The pool is empty even after everything was zapped. */
  | {readonly kind: 'no-memory'};

/** Every decision of the shadow MMU, with its reason. */
export interface ShadowEvent {
  readonly kind: 'shadow-paging';
  readonly action:
    | 'new-root'
    | 'reuse-root'
    | 'hidden-fault'
    | 'true-fault'
    | 'map'
    | 'new-table'
    | 'write-protect'
    | 'page-table-write'
    | 'unsync'
    | 'sync'
    | 'zap'
    | 'set-accessed'
    | 'set-dirty'
    | 'invalidate-page'
    | 'mmio'
    | 'flood'
    | 'pool-empty';
  /** Addresses that it is about, where there are any. */
  readonly linear: bigint | undefined;
  readonly gpa: number | undefined;
  /** The shadow entry that changed: where it lies, from what to what. */
  readonly entry: {readonly at: number; readonly level: number; readonly from: bigint; readonly to: bigint} | undefined;
  /** One sentence: what was done and why. */
  readonly why: string;
}

export interface ShadowMmu {
  /** The root to load into the real CR3 for the guest's present paging registers; made or found again in the cache. */
  root(view: 'kernel' | 'user'): Hpa;
  /** A #PF (or a write that the shadow refused) while the guest ran. */
  fault(access: GuestAccess): ShadowVerdict;
  /** The guest executed MOV to CR3: unsynchronized tables of the new root are synchronized. Follow with `root`. */
  guestLoadedCr3(): void;
  /** The guest changed CR0.PG/WP, CR4.PAE/PSE/PGE/SMEP/SMAP or EFER.NXE/LMA: another role, so other roots. */
  guestChangedMode(): void;
  /** The guest executed INVLPG. */
  guestInvalidated(linear: bigint): void;
  /** The hypervisor's emulator wrote to guest-physical memory. */
  guestWrote(gpa: Gpa, bytes: number): void;
  /** Memory slots changed: forget everything. */
  zapAll(why: string): void;
}
