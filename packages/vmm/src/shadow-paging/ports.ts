// What the shadow MMU needs of the hypervisor that uses it, and what it gives. It serves every technique whose hardware walks
// one set of page tables: trap-and-emulate, binary translation, VT-x without EPT, SVM without nested paging. It knows no
// VMCS and no vCPU structure, only guest-physical memory, the guest's paging registers, and pages of host memory.
// Linux, Documentation/virt/kvm/x86/mmu.rst; Adams and Agesen 2006, sections 2.3 and 2.4.

import type {Gpa, Hpa} from '@hyperscope/base';
import type {DeliberateFaults} from '../deliberate-faults.js';

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
  /** RFLAGS.AC where it suspends SMAP: false for implicit accesses, which the processor makes to tables and stacks at CPL 3. */
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
 * How the hardware that walks the shadow is set up while the guest runs in its present mode: its paging format, and the
 * privileges at which it runs guest code. Where guest kernel and guest user share ring 3, each needs a root of its own
 * (`views: 2`); SMAP cannot be kept for such a guest, since POPF changes AC in silence: hide it.
 *
 *   guest's paging   can be shadowed on             the hardware's CR0.WP is always 1; CR4.SMEP and SMAP are the guest's,
 *   none             any format                     but 0 while the guest's paging is off; EFER.NXE is `noExecute`.
 *   32-bit           32-bit, PAE, 4-level           CR4.PGE may be anything: no shadow entry has G.
 *   PAE              PAE, 4-level                   The processor reads PDPTEs of a PAE root at MOV CR3 or VM entry: load
 *   4-level          4-level                        the root again whenever `flushTlb()` was called without an address.
 */
export interface ShadowHardware {
  readonly format: '4-level' | 'PAE' | '32-bit';
  readonly noExecute: 'on' | 'off';
  /** 1: guest kernel code runs as supervisor; 2: it runs as user (ring 3), with a root for it and one for its users. */
  readonly views: 1 | 2;
}

/**
 * A stretch of linear addresses in which the hypervisor itself stays mapped while the guest runs: one entry of level 2
 * (2 MiB, or 4 MiB in the 32-bit format), aligned. `entry` is what each root has there, whatever the guest maps.
 */
export interface HypervisorWindow {
  readonly linear: bigint;
  readonly entry: bigint;
}

export interface ShadowMmuOptions {
  readonly host: ShadowHost;
  /** Asked anew at every fault and root, because the format may follow the guest's mode (VT-x: 4-level when its LMA = 1). */
  hardware(): ShadowHardware;
  /** What the guest's CPUID says: MAXPHYADDR, 1 GiB pages, PSE-36. They decide which bits of its entries are reserved. */
  readonly features: GuestPagingFeatures;
  /**
   * Host memory for shadow pages and their bookkeeping, page-aligned, zero at the start of the run, below 4 GiB. A shadow
   * page takes two pages; 6 pages and some more are headers.
   */
  readonly pool: {readonly start: Hpa; readonly end: Hpa};
  readonly window?: HypervisorWindow | undefined;
  /** Whether a guest frame holds what the hypervisor keeps a copy of (translated code): it is never mapped writable. */
  isTracked?(gfn: number): boolean;
  /**
   * What becomes of a write to a guest page table of level 1: 'unsync', as in KVM, lets it go out of step until the guest
   * flushes its TLB; 'trapped' carries out each such write in software, as the VMMs of 2006 did (a "trace").
   */
  readonly leafTables?: LeafTables | undefined;
  /** What is left out on purpose. */
  readonly faults?: DeliberateFaults | undefined;
}
export type LeafTables = 'unsync' | 'trapped';

export interface GuestPagingFeatures {
  readonly physicalAddressBits: number;
  readonly gigabytePages: boolean;
  readonly pse36: boolean;
}

/** A #PF at a linear address, judged. */
export type ShadowVerdict =
  /** The guest's own tables allow the access; the shadow is mended: repeat the instruction. */
  | {readonly kind: 'hidden'; readonly gpa: Gpa}
  /** The guest's own tables refuse: the guest gets #PF with this error code, and CR2 ← the address. */
  | {readonly kind: 'true'; readonly errorCode: number}
  /**
   * No RAM there, or a write to a ROM; or a write that no shadow entry can allow without allowing too much (CR0.WP = 0 with
   * SMAP): carry the instruction out in software.
   */
  | {readonly kind: 'device'; readonly gpa: Gpa}
  /** A write to a write-protected guest page table: carry the instruction out in software, then call `guestWrote`. */
  | {readonly kind: 'page-table-write'; readonly gpa: Gpa}
  /** A write to a tracked page: carry the instruction out in software. */
  | {readonly kind: 'tracked-write'; readonly gpa: Gpa}
  /** The guest uses addresses in which the hypervisor hides: carry the instruction out in software. */
  | {readonly kind: 'hypervisor-window'; readonly gpa: Gpa}
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
    | 'tracked-write'
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

/** How often what happened, since the start of the run: KVM's statistics, pf_fixed, pf_guest, mmu_pte_write, … */
export const SHADOW_STATISTICS = [
  'hiddenFaults',
  'trueFaults',
  'pageTableWrites',
  'cr3Loads',
  'invalidations',
  'unsyncs',
  'syncs',
  'deviceFaults',
  'zaps',
  'floods',
  'poolExhaustions',
] as const;
export type ShadowStatistics = Readonly<Record<(typeof SHADOW_STATISTICS)[number], number>>;

export interface ShadowMmu {
  /**
   * The root to load into the real CR3 for the guest's present paging registers; made or found again in the cache. Ask
   * before every return to the guest, as KVM does (kvm_mmu_reload): any other call here may have taken the root away.
   */
  root(view: 'kernel' | 'user'): Hpa;
  /**
   * A #PF (or a write that the shadow refused) while the guest ran. The guest's A and D bits are set as its processor would
   * have set them, unless the verdict is 'true'.
   */
  fault(access: GuestAccess): ShadowVerdict;
  /**
   * The guest executed MOV to CR3 (or anything else that flushes its TLB): unsynchronized tables are synchronized. Call with
   * the new CR3 and PDPTEs in `paging()`; follow with `root`.
   */
  guestLoadedCr3(): void;
  /** The guest changed CR0.PG/WP, CR4.PAE/PSE/PGE/SMEP/SMAP or EFER.NXE/LMA: another role, so other roots. */
  guestChangedMode(): void;
  /** The guest executed INVLPG. */
  guestInvalidated(linear: bigint): void;
  /** The hypervisor's emulator, or a device's DMA, wrote to guest-physical memory. */
  guestWrote(gpa: Gpa, bytes: number): void;
  /** A page is tracked from now on: the right to write is taken away where it is mapped. */
  track(gfn: number): void;
  /** Memory slots changed: forget everything. */
  zapAll(why: string): void;
  statistics(): ShadowStatistics;
  /** The root last given out for a view, if it is still there: for views, changes nothing. */
  rootInUse(view: 'kernel' | 'user'): Hpa | undefined;
}
