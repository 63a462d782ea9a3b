// What the generic half of KVM asks of its vendor half, and what the vendor half hands to it: kvm_x86_ops. kvm_intel answers
// with VMREAD and VMWRITE, kvm_amd by reading and writing the VMCB in memory. Linux, arch/x86/include/asm/kvm_host.h:
// struct kvm_x86_ops.
//
//   generic half (this folder, names of x86.c)          vendor half (vmx/, svm/)
//   KVM_RUN, MSRs, CPUID, CR and DR rules, interrupts,  control block, entry, exit handlers that decode what the
//   the instruction emulator, ioctls                    hardware reports and then call the generic half

import type {Cell} from '@hyperscope/isa';
import type {Hpa} from '@hyperscope/base';
import type {HostRoutine} from '../host/host-program.js';
import type {Host} from './host-context.js';

/** An event that the next VM entry is to deliver to the guest. */
export type GuestEvent =
  | {readonly kind: 'interrupt'; readonly vector: number}
  | {readonly kind: 'nmi'}
  | {readonly kind: 'exception'; readonly vector: number; readonly errorCode: number | undefined}
  /** INT n, INT3, INTO or INT1: `length` bytes long, which the guest's return address is behind. */
  | {readonly kind: 'software'; readonly vector: number; readonly length: number};

/** Why the guest was left, in the hardware's own terms. */
export interface HardwareExit {
  /** The basic exit reason (VMX) or EXITCODE (SVM): what 'vm-exit' and 'exit-handled' events carry. */
  readonly reason: number;
  /** 'CPUID', 'control-register access' … as isa's exitTitle gives it. */
  readonly title: string;
}

export interface Hardware {
  readonly name: 'VMX' | 'SVM';
  /** What the vendor half adds to the kernel's code window, its exit handlers among them. */
  readonly routines: readonly HostRoutine<Host>[];

  // ── the guest's registers ───────────────────────────────────────────────────────────────────────────────────────
  /** As the guest believes it to be: CR0 and CR4 with what the host hides, CPL, INTERRUPT_SHADOW, NMI_BLOCKING, general ones. */
  get(cell: Cell): bigint;
  /**
   * Writes what the guest believes and, from it, what the hardware needs: CR0 with the bits that non-root operation or shadow
   * paging wants, EFER with LMA and the "IA-32e mode guest" control, and so on. Checks nothing: the generic half has.
   */
  set(cell: Cell, value: bigint): void;
  /** RIP ← behind the instruction that exited; the interrupt shadow ends with it. */
  skipInstruction(): {readonly from: bigint; readonly to: bigint; readonly length: bigint};

  // ── the exit ────────────────────────────────────────────────────────────────────────────────────────────────────
  exit(): HardwareExit;
  /** The event whose delivery the exit interrupted: IDT-vectoring information, EXITINTINFO. */
  interruptedDelivery(): GuestEvent | undefined;

  // ── events for the guest ────────────────────────────────────────────────────────────────────────────────────────
  inject(event: GuestEvent): void;
  /** What the next entry will deliver already. */
  pendingInjection(): GuestEvent | undefined;
  /** Asks for an exit as soon as the guest can take an interrupt: interrupt-window exiting, or V_IRQ with a VINTR intercept. */
  setInterruptWindow(state: 'on' | 'off'): void;
  setNmiWindow(state: 'on' | 'off'): void;

  // ── the guest's memory ──────────────────────────────────────────────────────────────────────────────────────────
  /** The root that the hardware walks: EPTP or nCR3 with nested paging, the real CR3 with shadow paging. */
  loadMmuRoot(root: Hpa): void;
  /** Forgets translations: one page of the guest's linear addresses (INVVPID, INVLPGA), or all of this guest's. */
  flushTlb(linear?: bigint): void;
}
