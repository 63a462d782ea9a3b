// What a record is made of. A run is a list of steps; a step has an actor, a place, a cost, changes and events.
//
//   step       one retired instruction (or one iteration of a repeated one), the delivery of an event, or one named
//              action of the hypervisor. Step n leads from state n to state n + 1; state 0 is before the first.
//   change     bytes of a bank, XORed: a change is its own inverse, and changes compose.
//   event      typed, sparse: exits, entries, exceptions, ring and mode changes, port accesses.

import type {MachineEvent} from '@hyperscope/machine';
import type {Actor, HypervisorEvent, VmExit} from '@hyperscope/vmm';

export type TraceEvent = MachineEvent | HypervisorEvent;

/** What kind of thing a step is. */
export const STEP_KINDS = ['instruction', 'delivery', 'host-action', 'kvm-exit', 'kvm-step'] as const;
export type StepKind = (typeof STEP_KINDS)[number];

export interface Step {
  readonly index: number;
  readonly who: Actor;
  readonly kind: StepKind;
  /** RIP before the step. */
  readonly rip: bigint;
  /** Bytes of the instruction; 0 for steps that are none. */
  readonly length: number;
  /** Cycle counter before the step. */
  readonly cycle: number;
  /** Which of the header's virtual machines had the processor, or was worked for: its index. Absent: the first, or the only one. */
  readonly machine?: number;
}

/** The file's first part, as JSON. */
export interface RecordHeader {
  readonly format: 'hyperscope-record';
  readonly version: 1;
  readonly engine: 'simulated' | 'kvm';
  /** 'bare', 'vtx-ept', 'kvm'. */
  readonly technique: string;
  readonly guest: {
    readonly id: string;
    readonly title: string;
    readonly sha256: string;
    readonly loadAddress: number;
    readonly bytes: number;
  };
  /** CPU profile and cost model of a simulated run. */
  readonly machine: {readonly profile: string; readonly costModel: string; readonly memoryBytes: number} | undefined;
  /** What the host's KVM was seen to be, for a real run. */
  readonly host: HostFingerprint | undefined;
  /** Real KVM: its interrupt controllers and its timer are in the kernel; absent: there are none. */
  readonly irqchip?: 'kernel';
  /** Cell names, in the order of the register bank of this file. */
  readonly cells: readonly string[];
  /** Names and sizes of the banks, in order. */
  readonly banks: readonly {readonly name: string; readonly size: number}[];
  /** Where guest-physical memory lies in the bank 'memory'; absent where they are the same. */
  readonly guestMemory?: readonly GuestExtent[];
  /** Several virtual machines on one processor, in the order of their numbers; absent where there is one. */
  readonly virtualMachines?: readonly RecordedMachine[];
  /** Where a shadow MMU keeps all that it knows, in the bank 'memory'; absent where there is none. */
  readonly shadowPool?: {readonly start: number; readonly end: number};
}

/** A virtual machine of several: its name, where its memory lies, and where the hypervisor keeps its virtual CPU in the bank 'memory'. */
export interface RecordedMachine {
  readonly name: string;
  readonly guestMemory: readonly GuestExtent[];
  readonly window: number;
  readonly shadowPool: {readonly start: number; readonly end: number};
}

/** `length` bytes of guest-physical memory from `gpa` lie at `offset` of the bank 'memory'. */
export interface GuestExtent {
  readonly gpa: number;
  readonly offset: number;
  readonly length: number;
}

/** What a 100 ms probe found out about a host's KVM: expectations are chosen by it, never by a module's name. */
export interface HostFingerprint {
  /** 'kvm_intel', 'kvm_amd', 'kvm_pvm' or what /sys/module says. */
  readonly flavour: string;
  readonly kernel: string;
  readonly vendor: string;
  readonly apiVersion: number;
  readonly recordedOn: string;
  /** Answers of the probe: {out_exit_rip: 'after', cpl3_step: 'guest-#DB', …}. */
  readonly probes: Readonly<Record<string, string | number | boolean>>;
}

export type {Actor, HypervisorEvent, MachineEvent, VmExit};
