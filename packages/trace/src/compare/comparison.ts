// What a comparison of two runs of one guest says: exit by exit, and every difference with its class.

import type {RecordHeader} from '../record-format.js';

export const DIFFERENCE_CLASSES = [
  /** Time: the time-stamp counter, the moment of an interrupt, or what was computed from them. */
  'timing',
  /** What a processor says of itself, or what was computed from it. */
  'cpuid',
  /** Flags that the manual leaves undefined after an instruction. */
  'undefined-flags',
  /** A hardware exit that KVM answers itself: user space cannot see it on a real host. */
  'kept-inside-kvm',
  /** One side has no hypervisor, so there is nothing to exit to. */
  'no-hypervisor',
  /** A departure of this host's KVM from hardware, found by its fingerprint. */
  'host-quirk',
  /** Nobody knows: a bug in the simulator until shown otherwise. */
  'unexplained',
] as const;
export type DifferenceClass = (typeof DIFFERENCE_CLASSES)[number];

export interface Difference {
  readonly class: DifferenceClass;
  readonly where: 'exits' | 'sequence' | 'registers' | 'memory' | 'output' | 'inside-kvm';
  /** `RFLAGS`, `memory 0x8040`, `port 0x3f8` */
  readonly what: string;
  /** The value on each side; 'nothing' where a side has none. */
  readonly a: string;
  readonly b: string;
  /** The states at which it shows. */
  readonly at: {readonly a: number; readonly b: number};
  readonly why: string;
}

/** One row of the table of exits. */
export interface ExitComparison {
  /** `KVM_EXIT_IO`, or the hardware's reason for exits that user space does not see. */
  readonly reason: string;
  readonly a: number;
  readonly b: number;
  /** The guest instruction of the first of them. */
  readonly instruction: string;
  readonly verdict: 'matched' | 'only-a' | 'only-b' | 'counts-differ';
  /** undefined when matched. */
  readonly class: DifferenceClass | undefined;
  readonly why: string;
}

/** Two visible events beside each other; a missing one is undefined. */
export interface AlignedEvent {
  readonly a: {readonly step: number; readonly label: string} | undefined;
  readonly b: {readonly step: number; readonly label: string} | undefined;
}

export interface ComparedSide {
  /** `VT-x with EPT, simulated`; `real KVM (kvm_pvm)` */
  readonly name: string;
  readonly header: RecordHeader;
  readonly steps: number;
  readonly outcome: string | undefined;
  /** What the guest printed. */
  readonly serial: string;
  /**
   * How often KVM did something without user space, by name: on real KVM a tracepoint of the kernel, on the simulated one the
   * exit that it answered. Empty where the record does not tell.
   */
  readonly insideKvm: readonly (readonly [name: string, count: number])[];
  /** KVM's own counters at the end of a run on real KVM, where they were recorded. */
  readonly statistics: string | undefined;
}

export interface Comparison {
  readonly a: ComparedSide;
  readonly b: ComparedSide;
  readonly exits: readonly ExitComparison[];
  readonly events: readonly AlignedEvent[];
  /** In the order of time; at most 1000. */
  readonly differences: readonly Difference[];
  readonly first: Difference | undefined;
  /** 0 means success. */
  readonly unexplained: number;
  readonly sentences: readonly string[];
}
