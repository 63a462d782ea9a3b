// What a user-space VMM (QEMU's role) sees: a virtual machine, its virtual processors, and why KVM_RUN came back.
// The simulated techniques and packages/kvm give the same values, so one device model answers both.

import type {Cell} from '@hyperscope/isa';
import type {Gpa} from '@hyperscope/base';
import type {ParavirtualEvent} from './paravirtual/events.js';
import type {ShadowEvent} from './shadow-paging/ports.js';

/** Why KVM_RUN returned: KVM_EXIT_* in words (Documentation/virt/kvm/api.rst, "The kvm_run structure"). */
export type VmExit =
  /** `data` holds count × width/8 bytes: to be read for 'out', to be filled before the next run for 'in'. */
  | {
      readonly reason: 'io';
      readonly direction: 'in' | 'out';
      readonly port: number;
      readonly width: 8 | 16 | 32;
      readonly count: number;
      readonly data: Uint8Array;
    }
  /** `data` as for io. */
  | {readonly reason: 'mmio'; readonly direction: 'read' | 'write'; readonly gpa: Gpa; readonly data: Uint8Array}
  | {readonly reason: 'hlt'}
  /** A hypercall that KVM leaves to user space: RBX, RCX, RDX, RSI. `data`: eight bytes to be filled with what RAX gets. */
  | {readonly reason: 'hypercall'; readonly number: bigint; readonly args: readonly bigint[]; readonly data: Uint8Array}
  /** A triple fault. */
  | {readonly reason: 'shutdown'}
  | {readonly reason: 'debug'; readonly exception: number; readonly pc: bigint; readonly dr6: bigint}
  /** The guest can take an interrupt now, which user space had asked to be told. */
  | {readonly reason: 'irq-window-open'}
  /** The guest lowered CR8 and the local APIC is in user space: an interrupt may be deliverable now. */
  | {readonly reason: 'set-tpr'}
  | {
      readonly reason: 'rdmsr' | 'wrmsr';
      readonly index: number;
      readonly value: bigint;
      readonly cause: 'filter' | 'unknown' | 'invalid';
    }
  | {readonly reason: 'fail-entry'; readonly hardwareReason: bigint}
  | {readonly reason: 'internal-error'; readonly suberror: number; readonly instruction: Uint8Array | undefined}
  /** KVM_RUN gave EINTR: somebody kicked the vCPU, or a limit was reached. No VM exit is implied. */
  | {readonly reason: 'interrupted'}
  | {readonly reason: 'unknown'; readonly code: number};

export type VmExitReason = VmExit['reason'];

/** Register values by cell name; absent cells keep what they have. */
export type RegisterValues = Partial<Readonly<Record<Cell, bigint>>>;

export interface Vcpu {
  /** KVM_GET_REGS and KVM_GET_SREGS. Cells that the back end does not know are absent. */
  registers(): RegisterValues;
  /** KVM_SET_REGS and KVM_SET_SREGS. */
  setRegisters(values: RegisterValues): void;
  /** KVM_RUN: runs the guest until user space is needed. An 'in' or a 'read' is completed by the data the caller filled in. */
  run(): VmExit;
}

export interface VirtualMachine {
  /** Guest-physical memory from address 0. */
  readonly memory: Uint8Array;
  readonly vcpu: Vcpu;
  close(): void;
}

/** Who has the processor: the colour of everything on the screen. */
export const ACTORS = ['guest-user', 'guest-kernel', 'hypervisor', 'vmm', 'device'] as const;
export type Actor = (typeof ACTORS)[number];

/** An instruction of the guest's, and how it was translated: copied, as a sequence on the virtual CPU, as a call of the VMM, as a jump. */
export interface TranslatedCode {
  readonly rip: bigint;
  readonly text: string;
  readonly translation: 'ident' | 'in-cache' | 'callout' | 'control';
  readonly at: bigint;
  readonly why: string;
  /** Where the cache goes on when the look-up of a RET or an indirect jump finds something, and where it calls the VMM when not. */
  readonly lookUp?: {readonly hit: bigint; readonly miss: bigint} | undefined;
}

/** What a control program does besides carrying instructions out. */
export type ControlProgramAct = 'dispatch' | 'slice-end' | 'wait' | 'wake' | 'idle' | 'end' | 'diagnose' | 'spool';

/** What the hypervisor's own code tells: one named step of a routine. */
export type HypervisorEvent =
  /** `routine` is a symbol of the host program ('vmx_handle_exit'); `sentence` says what it does with which values. */
  | {
      readonly kind: 'host-step';
      readonly actor: 'hypervisor' | 'vmm';
      readonly routine: string;
      readonly sentence: string;
    }
  /** The boundary between the user-space VMM and KVM, in both directions. */
  | {
      readonly kind: 'ioctl';
      readonly name: string;
      readonly direction: 'call' | 'return';
      readonly result: string | undefined;
    }
  /** A hardware exit was answered. `route` says by whom: inside KVM, or user space had to be asked. */
  | {
      readonly kind: 'exit-handled';
      readonly reason: number;
      readonly route: 'kvm' | 'user-space';
      readonly why: string;
      /** Whose number the reason is, where it is not a basic exit reason of VT-x: an EXITCODE. */
      readonly hardware?: 'SVM' | undefined;
    }
  /** What user space was told: a KVM_EXIT_*. */
  | {readonly kind: 'kvm-exit'; readonly exit: VmExit}
  /** What KVM decided about an interrupt or NMI that waits for the guest. */
  | {
      readonly kind: 'injection';
      readonly vector: number;
      /** 'injected' at the next VM entry; or the guest cannot take it, and KVM asks for an exit as soon as it can. */
      readonly decision: 'injected' | 'window-requested';
      readonly why: string;
      /** Who: KVM where absent. A VMM without hardware delivers by itself, and looks again at the guest's next trap. */
      readonly by?: 'VMM' | undefined;
      /** Where it is not VT-x. */
      readonly hardware?: 'SVM' | undefined;
    }
  /** KVM carries an instruction of the guest out in software. */
  | {
      readonly kind: 'emulation';
      readonly rip: bigint;
      readonly text: string;
      readonly outcome: 'completed' | 'repeats' | 'needs-user-space' | 'fault' | 'failed';
      /** What it read and wrote, in order, in words. */
      readonly accesses: readonly string[];
      /** Who: KVM where absent. */
      readonly by?: 'VMM' | undefined;
    }
  /**
   * A register that a deprivileged guest believes to have changed. What the processor holds is something else: the VMM's own
   * value, in the register bank.
   */
  | {
      readonly kind: 'virtual-cpu';
      readonly register: Cell;
      readonly from: bigint;
      readonly to: bigint;
      readonly why: string;
    }
  /** Binary translation: a block of guest kernel code, at `rip`, and what runs in its place, at `at` in the translation cache. */
  | {
      readonly kind: 'translation';
      readonly rip: bigint;
      readonly source: Uint8Array;
      readonly at: bigint;
      readonly translated: Uint8Array;
      readonly instructions: readonly TranslatedCode[];
    }
  /** A stub at `from` in the cache leads to the fragment at `to`, the translation of the guest's `rip`, without the VMM. */
  | {
      readonly kind: 'translation-chained';
      readonly from: bigint;
      readonly to: bigint;
      readonly rip: bigint;
      readonly why: string;
    }
  /** The translation of `rip` at `at` is good no more; all of them, where there are no addresses. */
  | {
      readonly kind: 'translation-invalidated';
      readonly rip: bigint | undefined;
      readonly at: bigint | undefined;
      readonly why: string;
    }
  /** Adaptive retranslation: the instruction at a linear address is called out from now on, or copied again. */
  | {
      readonly kind: 'translation-adapted';
      readonly rip: bigint;
      readonly to: 'callout' | 'ident';
      readonly why: string;
    }
  /** A device did something that no register shows: it put out what lay in memory, or will do no more, and why. */
  | {
      readonly kind: 'device';
      readonly name: string;
      readonly what: 'output' | 'trouble';
      readonly sentence: string;
    }
  /**
   * What real KVM did without telling user space, by one of its tracepoints ('kvm_emulate_insn', with its fields as text),
   * or at the end of a run by its counters ('statistics').
   */
  | {readonly kind: 'inside-kvm'; readonly name: string; readonly text: string}
  /** What a control program did with the processor between its virtual machines, or for one of them: the one that is named. */
  | {
      readonly kind: 'control-program';
      readonly what: ControlProgramAct;
      readonly machine: string;
      readonly sentence: string;
    }
  /** What the shadow MMU decided, with its reason. */
  | ShadowEvent
  /** Hypercalls, what they change in page tables, callbacks. */
  | ParavirtualEvent
  /** A device of the user-space VMM put a byte out. */
  | {readonly kind: 'serial'; readonly byte: number};
