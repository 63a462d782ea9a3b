// What the machine tells whoever watches it. The machine declares this; the record implements it; it never imports it.
// Events carry the checks that were made and the one that decided, so that every sentence about them can be derived.

/** A piece of mutable state that a record can follow: its bytes are the state. */
export interface Bank {
  /** 'registers', 'memory', 'tlb', 'uart', … */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** One condition that the processor looked at. */
export interface Check {
  /** What must hold, as a sentence in the manual's terms: 'CPL = 0'. */
  readonly rule: string;
  readonly holds: boolean;
  /** The values that went into it: [['CPL', '3']]. */
  readonly values: readonly (readonly [name: string, value: string])[];
  /** Manual and section title: 'SDM vol. 2, "MOV—Move to/from Control Registers"'. */
  readonly source: string;
  /** For a check of a VM entry that failed: what people usually did who broke it. */
  readonly cause?: string | undefined;
}

/** What led to an event: the checks in the order in which the processor made them; the last one decided. */
export type Checks = readonly Check[];

export type Mode = 'real' | 'virtual-8086' | 'protected' | 'compatibility' | '64-bit';

export type MachineEvent =
  /** An exception was raised; it is delivered through the IDT unless it exits. */
  | {
      readonly kind: 'exception';
      readonly vector: number;
      readonly errorCode: number | undefined;
      readonly address: bigint | undefined;
      readonly checks: Checks;
    }
  /** An interrupt or exception reached its handler. */
  | {
      readonly kind: 'delivery';
      readonly vector: number;
      readonly from: number;
      readonly to: number;
      readonly handler: bigint;
      readonly stackSwitched: boolean;
    }
  /** CPL changed, and by what. */
  | {readonly kind: 'ring'; readonly how: string; readonly from: number; readonly to: number}
  | {readonly kind: 'mode'; readonly from: Mode; readonly to: Mode}
  | {
      readonly kind: 'control-register';
      readonly register: 'CR0' | 'CR3' | 'CR4' | 'EFER';
      readonly from: bigint;
      readonly to: bigint;
    }
  | {
      readonly kind: 'port';
      readonly direction: 'in' | 'out';
      readonly port: number;
      readonly width: 8 | 16 | 32;
      readonly value: number;
      readonly device: string | undefined;
    }
  | {
      readonly kind: 'vmx-instruction';
      readonly name: string;
      readonly outcome: 'VMsucceed' | 'VMfailInvalid' | 'VMfailValid';
      readonly error: number | undefined;
      readonly operands: readonly (readonly [name: string, value: string])[];
      readonly checks: Checks;
    }
  | {
      readonly kind: 'vm-entry';
      readonly how: 'VMLAUNCH' | 'VMRESUME' | 'VMRUN';
      readonly vmcs: number;
      readonly guestRip: bigint;
      readonly injected: number | undefined;
    }
  | {
      readonly kind: 'vm-entry-failure';
      readonly reason: number;
      readonly qualification: bigint;
      readonly checks: Checks;
    }
  | {readonly kind: 'vm-exit'; readonly exit: VmExitInformation}
  | {readonly kind: 'halt'}
  /** A memory access that the TLB could not answer: every table entry that the walk read, guest and EPT. */
  | {
      readonly kind: 'page-walk';
      readonly linear: bigint;
      readonly access: 'read' | 'write' | 'execute';
      readonly references: readonly WalkReference[];
      readonly outcome: 'mapped' | 'page-fault' | 'ept-violation' | 'ept-misconfiguration';
    }
  | {readonly kind: 'triple-fault'; readonly chain: readonly FaultLink[]}
  | {readonly kind: 'unsupported'; readonly address: bigint; readonly bytes: string; readonly what: string};

export interface WalkReference {
  readonly table: 'guest' | 'ept' | 'npt';
  /** 4: PML4 … 1: page table. */
  readonly level: number;
  /**
   * Where the entry was read: guest-physical for a guest table (host-physical when there is no EPT), host-physical
   * for EPT.
   */
  readonly address: number;
  readonly entry: bigint;
}

/** One fault of the chain that ended in a triple fault, and why its handler could not run. */
export interface FaultLink {
  readonly vector: number;
  readonly errorCode: number | undefined;
  readonly address: bigint | undefined;
  readonly why: string;
}

/**
 * What the processor writes into the VM-exit information fields (SDM vol. 3C, "VM-Exit Information Fields"), with the
 * reason for the exit.
 */
export interface VmExitInformation {
  readonly reason: number;
  readonly qualification: bigint;
  readonly guestRip: bigint;
  readonly instructionLength: number;
  readonly instructionInformation: number;
  readonly interruptionInformation: number;
  readonly interruptionErrorCode: number;
  readonly idtVectoringInformation: number;
  readonly idtVectoringErrorCode: number;
  readonly guestLinearAddress: bigint;
  readonly guestPhysicalAddress: number;
  /** The processor's route to this exit: which control asked for it. */
  readonly checks: Checks;
  /** Where SVM left the guest: `reason` is its exit code then, and what only VT-x tells is 0. */
  readonly svm?: SvmExitInformation | undefined;
}

/** EXITCODE (-1 for VMEXIT_INVALID), EXITINFO1 and EXITINFO2. */
export interface SvmExitInformation {
  readonly code: number;
  readonly info1: bigint;
  readonly info2: bigint;
}

export interface Observer {
  /** Says, while it is true, that `willWrite` would do nothing; then it need not be called for memory. */
  readonly ignoresWrites?: boolean;
  /** Says, while it is true, that only a triple fault is of interest; then events that cost to build are not built. */
  readonly ignoresEvents?: boolean;
  /**
   * Called before `length` bytes at `offset` of a bank change. The register bank is exempt: compare it after each
   * step.
   */
  willWrite(bank: string, offset: number, length: number): void;
  event(event: MachineEvent): void;
}
