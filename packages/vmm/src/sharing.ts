// Several virtual machines on one processor: what a run is told of them, and what it tells.

import type {Gpa, Hpa} from '@hyperscope/base';
import type {GuestImage, RunOutcome} from './technique.js';

/** A virtual machine beside the first one, with a guest of its own. */
export interface CompanionImage {
  /** Up to eight letters and digits: 'CMS2'. */
  readonly name: string;
  readonly image: GuestImage;
}

/** How the processor is shared. */
export interface ProcessorSharing {
  /** Cycles after which a virtual machine loses the processor, if another one wants it. */
  readonly quantum?: number | undefined;
  /** Weights by the name of the virtual machine, 1 to 100; 1 for those that are not named. */
  readonly weights?: Readonly<Record<string, number>> | undefined;
}

/** Who has paid for how much of the processor. */
export interface VirtualMachineAccount {
  /** Cycles in which its own code ran, and cycles in which the hypervisor worked for it. */
  readonly virtualCycles: number;
  readonly hypervisorCycles: number;
  /** How often it got the processor, lost it because its time slice was over, and gave it up to wait. */
  readonly dispatches: number;
  readonly preempted: number;
  readonly waits: number;
  /** Calls of the hypervisor that it made. */
  readonly calls: number;
  /** Ways into the hypervisor: '#GP', '#UD', 'timer', …, with their counts. */
  readonly traps: Readonly<Record<string, number>>;
}

/** One of several virtual machines of a run. */
export interface VirtualMachineRun {
  readonly name: string;
  readonly memoryBytes: number;
  /** Where, host-physical, the hypervisor keeps its virtual CPU. */
  readonly window: number;
  /** Where its shadow page tables lie, and what is known of them. */
  readonly shadowPool: {readonly start: Hpa; readonly end: Hpa};
  readonly readOnlyMemory: readonly {readonly gpa: Gpa; readonly bytes: number}[];
  guestToHost(gpa: Gpa): Hpa | undefined;
  /** Bytes it sent to its first serial port so far. */
  serialOutput(): Uint8Array;
  account(): VirtualMachineAccount;
  /** How it ended; undefined while it has not, or waits. */
  readonly outcome: RunOutcome | undefined;
}
