// The parts of a processor as its units see each other: what the MMU, the VMX unit and the helpers may rely on.

import type {Helper, HelperName, Instruction, Intercept} from '@hyperscope/isa';
import type {Gpa, Hpa} from '@hyperscope/base';
import type {MachineEvent, VmExitInformation, WalkReference} from '../observer.js';
import type {PhysicalMemory} from '../mmu/physical-memory.js';
import type {RegisterFile} from './register-file.js';
import type {Fault, Trouble} from './trouble.js';

export interface Core {
  readonly registers: RegisterFile;
  /** Host-physical memory: what the processor's pins see. */
  readonly memory: PhysicalMemory;
  readonly tlb: TlbControl;
  readonly profile: ProcessorProfile;
  /** Tells the observer, if there is one. Building an event costs; ask `observed` first in hot paths. */
  emit(event: MachineEvent): void;
  readonly observed: boolean;
  /** Address of the instruction that is executing. */
  readonly instructionRip: bigint;
}

export interface TlbControl {
  flushAll(): void;
  flushNonGlobal(): void;
  flushPage(linear: bigint): void;
}

/** What CPUID and the capability MSRs announce, and therefore what exists. */
export interface ProcessorProfile {
  readonly id: string;
  readonly title: string;
  readonly vendor: string;
  /** leaf → subleaf → [EAX, EBX, ECX, EDX]; leaves that are absent read as the highest basic leaf. */
  readonly cpuid: ReadonlyMap<number, ReadonlyMap<number, readonly [number, number, number, number]>>;
  readonly physicalAddressBits: number;
}

/** What implements a helper. `args` in the order that HELPERS describes; a value is returned by those that have a result. */
export type HelperImplementation = (core: Core, instruction: Instruction, args: readonly bigint[]) => bigint | Trouble | undefined;
export type HelperImplementations = Readonly<Record<HelperName, HelperImplementation>>;
export type {Helper};

/** The virtualization half of the processor: VT-x now, SVM later. The core asks it at fixed places. */
export interface VirtualizationUnit {
  /** Whether an intercepted instruction leaves the guest. Only called in VMX non-root operation. */
  intercept(core: Core, instruction: Instruction, intercept: Intercept, args: readonly bigint[]): VmExitInformation | undefined;
  /** Whether an exception leaves the guest, by the exception bitmap. Only called in VMX non-root operation. */
  interceptException(core: Core, fault: Fault): VmExitInformation | undefined;
  /** Guest-physical to host-physical. Only called in VMX non-root operation with EPT. `references` collects what was read, where given. */
  translate(core: Core, gpa: Gpa, access: GuestPhysicalAccess, references: WalkReference[] | undefined): Hpa | VmExitInformation;
  /** Whether the running guest's physical addresses go through EPT. */
  usesEpt(core: Core): boolean;
  /** A triple fault in the guest. */
  tripleFault(core: Core): VmExitInformation;
  /** Carries an exit out: saves the guest, loads the host (SDM vol. 3C, "VM Exits"). */
  exit(core: Core, exit: VmExitInformation): void;
  /** What MOV from CR0 and CR4 read: guest/host masks and read shadows. */
  visibleCr0(core: Core): bigint;
  visibleCr4(core: Core): bigint;
}

export interface GuestPhysicalAccess {
  readonly kind: 'read' | 'write' | 'execute';
  /** The linear address that led here, and whether this is the final translation or an access to a paging structure. */
  readonly linear: bigint;
  readonly purpose: 'translation' | 'paging-structure';
}
