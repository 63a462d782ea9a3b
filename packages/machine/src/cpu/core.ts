// The parts of a processor as its units see each other: what the MMU, the VMX unit and the helpers may rely on.

import type {Helper, HelperName, Instruction, Intercept} from '@hyperscope/isa';
import type {Gpa, Hpa} from '@hyperscope/base';
import type {Bank, MachineEvent, VmExitInformation, WalkReference} from '../observer.js';
import type {VmxCapabilities} from '../vmx/capabilities.js';
import type {PhysicalMemory} from '../mmu/physical-memory.js';
import type {ProcessorFeatures} from './features.js';
import type {RegisterFile} from './register-file.js';
import type {Fault, Trouble} from './trouble.js';

export interface Core {
  readonly registers: RegisterFile;
  /** Host-physical memory: what the processor's pins see. */
  readonly memory: PhysicalMemory;
  readonly tlb: TlbControl;
  readonly profile: ProcessorProfile;
  /** What the profile announces, looked up once. */
  readonly features: ProcessorFeatures;
  /** Tells the observer, if there is one. Building an event costs; ask `observed` first in hot paths. */
  emit(event: MachineEvent): void;
  readonly observed: boolean;
  /** Address of the instruction that is executing. While a helper runs, the cell RIP already holds the next one's. */
  readonly instructionRip: bigint;
  /** Up to 15 bytes from the instruction on: as many as lie in pages that are known without a walk. Asking changes nothing. */
  instructionBytes(): readonly number[];
  /**
   * Delivers an event through the IDT of the current context, at once and completely: faults on the way, #DF, triple
   * fault and VM exits included. For event injection at the end of a VM entry (SDM vol. 3C, "Event Injection").
   */
  deliverEvent(event: DeliverableEvent): void;
  /** Raises an exception in the current context in the same way. For the debug exceptions that a VM entry finds pending. */
  raise(fault: Fault): void;
}

/**
 * The kinds of event, by the number that interruption-information fields give them (SDM vol. 3C, "Event Injection").
 */
export const EVENT_TYPES = {
  'external-interrupt': 0,
  NMI: 2,
  'hardware-exception': 3,
  'software-interrupt': 4,
  'privileged-software-exception': 5,
  'software-exception': 6,
} as const;
export type EventType = keyof typeof EVENT_TYPES;

export interface DeliverableEvent {
  readonly type: EventType;
  /** 0 to 255. */
  readonly vector: number;
  readonly errorCode: number | undefined;
  /** What goes on the stack as RIP: the next instruction for software events, else the current one. */
  readonly returnRip: bigint;
}

/** A switch to another task, by JMP, CALL, IRET or a task gate. */
export interface TaskSwitch {
  readonly source: 'CALL' | 'IRET' | 'JMP' | 'gate';
  /** The selector of the new task's TSS. */
  readonly selector: number;
  /** What the old task will go on with. */
  readonly returnRip: bigint;
  /** An exception's error code, which the new task finds on its stack. */
  readonly errorCode: number | undefined;
}

/** What of the TLB concerns the virtualization units; see mmu/tlb.ts. */
export interface TlbControl {
  flushAll(): void;
  flushNonGlobal(): void;
  flushPage(linear: bigint): void;
  forgetPage(linear: bigint): void;
  enterContext(wanted: {readonly identifier: number; readonly root: number | undefined}, pcid: number): void;
  flushIdentifier(identifier: number, which: 'global pages too' | 'not global pages'): void;
  flushGuests(): void;
  flushRoot(root: number | 'every'): void;
  flushEverything(): void;
  flushPageOfIdentifier(identifier: number, linear: bigint): void;
}

/** In their order: each has what the ones before it have. `p5`: Pentium, `p6`: Pentium Pro and everything later. */
export const GENERATIONS = ['i386', 'i486', 'p5', 'p6'] as const;
export type Generation = (typeof GENERATIONS)[number];

/** What CPUID and the capability MSRs announce, and therefore what exists. */
export interface ProcessorProfile {
  readonly id: string;
  readonly title: string;
  readonly vendor: string;
  /** leaf → subleaf → [EAX, EBX, ECX, EDX]; leaves that are absent read as the highest basic leaf. */
  readonly cpuid: ReadonlyMap<number, ReadonlyMap<number, readonly [number, number, number, number]>>;
  readonly physicalAddressBits: number;
  /** One line for a list of processors. */
  readonly summary: string;
  readonly year: number;
  /** Whose rules hold where Intel's manual and AMD's differ; the vendor's name may be another (`vendor`). */
  readonly maker: 'Intel' | 'AMD';
  /** What came with a generation and is announced by no bit of CPUID. */
  readonly generation: Generation;
  /** Type, family, model and stepping: in EDX after RESET, and in EAX of CPUID leaf 1 where there is CPUID. */
  readonly signature: number;
  /** Whether every sensitive instruction traps outside ring 0: no real processor does. */
  readonly strict: boolean;
  /** What the VMX capability MSRs announce; the newest generation of vmx/capabilities.ts where absent. */
  readonly vmx?: VmxCapabilities;
}

/**
 * What implements a helper. `args` in the order that HELPERS describes; a value is returned by those that have a
 * result.
 */
export type HelperImplementation = (
  core: Core,
  instruction: Instruction,
  args: readonly bigint[],
) => bigint | Trouble | undefined;
export type HelperImplementations = Readonly<Record<HelperName, HelperImplementation>>;
export type {Helper};

/** The virtualization half of the processor, VT-x or SVM. The core asks it at fixed places. */
export interface VirtualizationUnit {
  /** What CPUID announces because this unit is there: 'vmx' where it is left out. */
  readonly feature?: 'vmx' | 'svm';
  /** Whether an intercepted instruction leaves the guest, or does not exist in it. Only called in VMX non-root operation. */
  intercept(
    core: Core,
    instruction: Instruction,
    intercept: Intercept,
    args: readonly bigint[],
  ): VmExitInformation | Fault | undefined;
  /**
   * Whether an exception leaves the guest, by the exception bitmap. Only called in VMX non-root operation. `raisedBy`: the type
   * that INT1, INT3 and INTO give theirs.
   */
  interceptException(core: Core, fault: Fault, raisedBy?: EventType): VmExitInformation | undefined;
  /**
   * Guest-physical to host-physical. Only called in VMX non-root operation with EPT. `references` collects what was
   * read, where given.
   */
  translate(
    core: Core,
    gpa: Gpa,
    access: GuestPhysicalAccess,
    references: WalkReference[] | undefined,
  ): Hpa | VmExitInformation;
  /** Whether the running guest's physical addresses go through EPT. */
  usesEpt(core: Core): boolean;
  /** A triple fault in the guest; undefined where it shuts the processor down, guest and host. */
  tripleFault(core: Core): VmExitInformation | undefined;
  /** A task switch in the guest, once its TSS descriptor has been found good; undefined where the processor carries it out. */
  interceptTaskSwitch?(core: Core, wanted: TaskSwitch): VmExitInformation | undefined;
  /** Carries an exit out: saves the guest, loads the host (SDM vol. 3C, "VM Exits"). */
  exit(core: Core, exit: VmExitInformation): void;
  /** What MOV from CR0 and CR4 read: guest/host masks and read shadows. Only called in VMX non-root operation. */
  visibleCr0(core: Core): bigint;
  visibleCr4(core: Core): bigint;

  // What follows is optional: a unit that leaves it out has the plain behaviour.

  /** State outside registers and memory that a record must follow. */
  readonly banks?: readonly Bank[];
  /** The capability MSRs; undefined where the unit does not know the MSR, which is then #GP(0). */
  readMsr?(core: Core, index: number): bigint | undefined;
  /**
   * The value that MOV to CR0 (CLTS, LMSW) really loads in VMX non-root operation: host-owned bits keep their value.
   */
  writableCr0?(core: Core, value: bigint): bigint;
  writableCr4?(core: Core, value: bigint): bigint;
  /**
   * In VMX operation, root or not: bits that must be 1. A load that clears one is #GP(0) (SDM vol. 3C, "Restrictions
   * on VMX Operation").
   */
  requiredCr0?(core: Core): bigint;
  requiredCr4?(core: Core): bigint;
  /** Before each instruction in VMX non-root operation: interrupt window, NMI window, preemption timer. */
  pendingExit?(core: Core): VmExitInformation | undefined;
  /** Whether an external interrupt or an NMI leaves the guest. Without it, they are delivered to the guest. */
  interceptInterrupt?(core: Core, event: DeliverableEvent): VmExitInformation | undefined;
  /** Whether an interrupt that waits at the pins must go on waiting, in host and guest: SVM's GIF and V_INTR_MASKING. */
  holdsInterrupt?(core: Core, event: DeliverableEvent): boolean;
  /** Before each instruction of a guest, after `pendingExit`: a virtual interrupt that it takes now. */
  pendingInterrupt?(core: Core): DeliverableEvent | undefined;
  /** Whether `pendingInterrupt` would give one, which nothing but RFLAGS.IF, an interrupt shadow and the host changes. */
  hasPendingInterrupt?(core: Core): boolean;
  /** Whether blocking by NMI is the guest's own affair (virtual NMIs). Only called in VMX non-root operation. */
  hasVirtualNmis?(core: Core): boolean;
  /** Whether an IRET of the guest leaves blocking by NMI alone: NMIs are the host's. Only called in VMX non-root operation. */
  keepsNmisBlocked?(core: Core): boolean;
  /** MOV from CR8 in a guest: the task priority of its virtual APIC; undefined where CR8 is the register. */
  readTaskPriority?(core: Core): bigint | undefined;
  /**
   * MOV to CR8 in a guest, for a value that is in order: 'physical' where CR8 is the register; else the virtual APIC has taken
   * it, and perhaps asks for an exit when the instruction is done.
   */
  writeTaskPriority?(core: Core, priority: bigint): 'physical' | 'virtual' | VmExitInformation;
  /** Cycles until time alone ends the guest's turn, though it be halted; undefined for never. */
  cyclesUntilExit?(core: Core): number | undefined;
  /** RDTSC in VMX non-root operation: the value with the TSC offset. */
  visibleTimeStampCounter?(core: Core): bigint;
}

export interface GuestPhysicalAccess {
  readonly kind: 'read' | 'write' | 'execute';
  /** The linear address that led here, and whether this is the final translation or an access to a paging structure. */
  readonly linear: bigint;
  readonly purpose: 'translation' | 'paging-structure';
}
