// What the generic half of KVM asks of its vendor half, and what the vendor half hands to it: kvm_x86_ops. kvm_intel answers
// with VMREAD and VMWRITE, kvm_amd by reading and writing the VMCB in memory. Linux, arch/x86/include/asm/kvm_host.h:
// struct kvm_x86_ops.
//
//   generic half (this folder, names of x86.c)          vendor half (vmx/, svm/)
//   KVM_RUN, MSRs, CPUID, CR and DR rules, interrupts,  control block, entry, exit handlers that decode what the
//   the instruction emulator, ioctls                    hardware reports and then call the generic half

import type {Cell} from '@hyperscope/isa';
import type {Hpa} from '@hyperscope/base';
import type {ProcessorProfile, Virtualization} from '@hyperscope/machine';
import type {HostRoutine} from '../host/host-program.js';
import type {Host} from './host-context.js';

/** Who walks page tables for the guest: the hardware two sets of them, or one set that KVM has made. */
export type MmuKind = 'nested' | 'shadow';

/** A vendor half that is not yet at work: kvm_intel, kvm_amd. */
export interface HardwareKind {
  readonly name: 'VMX' | 'SVM';
  /** The processor's half that it works with; undefined where the profile lacks it. */
  virtualizationOf(profile: ProcessorProfile): Virtualization | undefined;
  /** @throws UserError that names the processors that will do, where this one lacks something. */
  requireProcessor(profile: ProcessorProfile, mmu: MmuKind): void;
  /** Guest-physical memory that KVM itself puts there (KVM_SET_TSS_ADDR). */
  readonly privateMemory?: {readonly gpa: number; readonly bytes: number} | undefined;
  create(host: Host): Hardware;
}

/** An event that the next VM entry is to deliver to the guest. */
export type GuestEvent =
  | {readonly kind: 'interrupt'; readonly vector: number}
  | {readonly kind: 'nmi'}
  | {readonly kind: 'exception'; readonly vector: number; readonly errorCode: number | undefined}
  /** `length` bytes long, which the guest's return address is behind. */
  | {
      readonly kind: 'software';
      readonly vector: number;
      readonly length: number;
      readonly instruction: 'INT n' | 'INT3' | 'INTO' | 'INT1';
    };

/** Why the guest was left, in the hardware's own terms. */
export interface HardwareExit {
  /** The basic exit reason (VMX) or EXITCODE (SVM): what 'vm-exit' and 'exit-handled' events carry. */
  readonly reason: number;
  /** 'CPUID', 'control-register access' … as isa's exitTitle gives it. */
  readonly title: string;
}

/** IN, OUT, INS or OUTS, as EXIT_QUALIFICATION or EXITINFO1 describe it. */
export interface IoExit {
  readonly bytes: 1 | 2 | 4;
  readonly direction: 'in' | 'out';
  readonly form: 'plain' | 'string';
  readonly port: number;
}

/** The guest touched a guest-physical address that the nested tables do not allow: EPT violation, nested page fault. */
export interface NestedFault {
  readonly gpa: number;
  readonly access: 'read' | 'write' | 'fetch';
  readonly by: 'access' | 'page walk';
}

/** A #PF of the guest that left it: its address (not in CR2), and the error code the processor made. */
export interface PageFaultExit {
  readonly linear: bigint;
  readonly errorCode: number;
}

/** Routines of the vendor half at which the generic half goes on. */
export interface VendorRoutines {
  /** Switches the processor's virtualization on; ends with 'kvm_dev_ioctl_create_vm+1'. 'vmx_enable_virtualization_cpu' */
  readonly enable: string;
  /** Makes a vCPU; ends with 'kvm_vm_ioctl_create_vcpu'. 'vmx_vcpu_create' */
  readonly createVcpu: string;
  /** Enters the guest: 'vmx_vcpu_run'. */
  readonly run: string;
}

export interface Hardware {
  readonly name: 'VMX' | 'SVM';
  /** What the vendor half adds to the kernel's code window, its exit handlers among them. */
  readonly routines: readonly HostRoutine<Host>[];
  readonly entryPoints: VendorRoutines;

  // ── the guest's registers ───────────────────────────────────────────────────────────────────────────────────────
  /**
   * As the guest believes it to be: CR0 and CR4 with what the host hides, CPL, INTERRUPT_SHADOW, NMI_BLOCKING, general ones,
   * TSC with the guest's offset.
   */
  get(cell: Cell): bigint;
  /**
   * Writes what the guest believes and, from it, what the hardware needs: CR0 with the bits that non-root operation or shadow
   * paging wants, EFER with LMA and the "IA-32e mode guest" control, and so on. Checks nothing: the generic half has.
   * CR0 changes EFER.LMA with it, where EFER.LME is set. TSC changes the offset.
   */
  set(cell: Cell, value: bigint): void;
  /** What the processor will load at the next entry, where that is not what the guest believes: CR0, CR3, CR4, EFER. */
  held(cell: 'CR0' | 'CR3' | 'CR4' | 'EFER'): bigint;
  /** What a sentence calls a write to the control block: 'VMWRITE', 'VMCB:'. */
  readonly writes: string;
  /** RIP ← behind the instruction that exited; the interrupt shadow ends with it. `how`: 'read VM_EXIT_INSTRUCTION_LENGTH: 2'. */
  skipInstruction(): {readonly from: bigint; readonly to: bigint; readonly how: string};

  // ── entry and exit ──────────────────────────────────────────────────────────────────────────────────────────────
  /** Before the entry: what the processor does not switch is switched here. One clause for the screen. */
  prepareSwitchToGuest(): string;
  /**
   * Why the hardware would refuse the guest's present state, so that KVM has to emulate until it is another (VT-x without
   * unrestricted guest); undefined where it would enter. Absent where the hardware takes any state that software can reach.
   */
  whyNotEnterable?(): string | undefined;
  /** Whether the guest believes itself in real mode while the processor runs it at CPL 3; absent where that cannot be. */
  readonly isInRealMode?: boolean;
  exit(): HardwareExit;
  /** Each reads what the exit that is being handled reported. */
  ioExit(): IoExit;
  nestedFault(): NestedFault;
  pageFault(): PageFaultExit;
  /** The event whose delivery the exit interrupted: IDT-vectoring information, EXITINTINFO. */
  interruptedDelivery(): GuestEvent | undefined;

  // ── events for the guest ────────────────────────────────────────────────────────────────────────────────────────
  /** The next entry delivers it. Says what was written where. */
  inject(event: GuestEvent): string;
  /** What the next entry will deliver already. */
  pendingInjection(): GuestEvent | undefined;
  /**
   * Asks for an exit as soon as the guest can take an interrupt: interrupt-window exiting, or V_IRQ with a VINTR intercept.
   * Says what was changed: 'interrupt-window exiting ← 1'.
   */
  setInterruptWindow(state: 'on' | 'off'): string;
  setNmiWindow(state: 'on' | 'off'): string;

  // ── the guest's memory ──────────────────────────────────────────────────────────────────────────────────────────
  /** The root that the hardware walks: EPTP or nCR3 with nested paging, the real CR3 with shadow paging. */
  loadMmuRoot(root: Hpa): void;
  /** Forgets translations: one page of the guest's linear addresses (INVVPID, INVLPGA), or all of this guest's. */
  flushTlb(linear?: bigint): void;
}
