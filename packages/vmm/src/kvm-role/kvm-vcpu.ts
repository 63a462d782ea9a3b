// struct kvm_vcpu and kvm_run as they lie in the host's memory. The processor does not switch the guest's general
// registers, CR2 or the SYSCALL MSRs, so KVM keeps them here; being memory, they are recorded and shown like any other.
//
//   kvm_vcpu  +0 regs[16] in encoding order · then one 8-byte slot for each name below
//             +c00 the memory-type range registers, 8 bytes each (mtrr_state)
//   kvm_run   Documentation/virt/kvm/api.rst, "The kvm_run structure": +8 exit_reason, +32 the union

import {hpa} from '@hyperscope/base';
import {GENERAL_REGISTERS} from '@hyperscope/isa';
import type {GeneralRegister} from '@hyperscope/isa';
import type {PhysicalMemory} from '@hyperscope/machine';
import {KVM_RUN_PAGE, PIO_DATA_PAGE, VCPU_STRUCT, VIRTUAL_APIC_PAGE} from '../host/host-layout.js';

const SLOTS = [
  'cr2',
  'xcr0',
  'star',
  'lstar',
  'cstar',
  'fmask',
  'kernel_gs_base',
  'tsc_aux',
  'dr0',
  'dr1',
  'dr2',
  'dr3',
  'dr6',
  'cr8',
  'apic_base',
  'misc_enable',
  'host_star',
  'host_lstar',
  'host_cstar',
  'host_fmask',
  'host_kernel_gs_base',
  'host_tsc_aux',
  'host_xcr0',
  /** 1 once VMLAUNCH has succeeded: VMRESUME from then on. */
  'launched',
  /** The ring-3 RIP and RFLAGS to go back to. */
  'user_rip',
  'user_rflags',
  /** What to do when user space has answered: one of COMPLETE. */
  'complete_userspace_io',
  /** Next free page of the pool that EPT tables come from, and how many guest pages are mapped. */
  'ept_pool',
  'ept_mapped',
  /** KVM_MP_STATE_HALTED, while KVM waits for an event in the place of the guest. */
  'mp_state',
  /** An interrupt that KVM_INTERRUPT has handed over: vector + 100h; 0 when there is none. */
  'pending_interrupt',
  'nmi_pending',
  /** Whether interrupt-window and NMI-window exiting are on at the moment. */
  'irq_window',
  'nmi_window',
  /** kvm_run: request_interrupt_window, if_flag, ready_for_interrupt_injection. */
  'request_interrupt_window',
  'if_flag',
  'ready_for_interrupt_injection',
  /** The argument of the ioctl that is being made. */
  'ioctl_argument',
  /** CPUState.halted of QEMU: the guest has executed HLT and waits. */
  'cpu_halted',
  'mcg_status',
  /** Elements of REP INS that user space has given ahead of their turn: bytes used, bytes there (Linux, ctxt->io_read). */
  'io_read_pos',
  'io_read_end',
  /** EXIT_REASON or EXITCODE of the exit that is being handled. */
  'exit_reason',
  /** With shadow paging: the root that the processor was last given, and what the guest believes where that is not in a VMCS. */
  'shadow_root',
  'guest_cr0',
  'guest_cr3',
  'guest_cr4',
  'guest_efer',
  'guest_pat',
  'guest_pdpte0',
  'guest_pdpte1',
  'guest_pdpte2',
  'guest_pdpte3',
  /** Blocking by NMI, where the processor has no virtual NMIs (soft_vnmi_blocked); `soft_vnmi`: it has none. */
  'soft_vnmi',
  'nmi_masked',
  'host_efer',
  /** VT-x without unrestricted guest: real mode as virtual-8086 mode (vmx/real-mode.ts), and the guest's IOPL and VM meanwhile. */
  'without_ept',
  'rmode_active',
  'rmode_rflags',
  /** 1 where KVM changed what decides whether VM entry would accept the guest. */
  'check_guest_state',
  /** The length of the instruction that the emulator handed over. */
  'emulated_length',
  /** 1 where no event can be delivered any more: shutdown. */
  'triple_fault',
  /** 1 where CR8 is in the virtual-APIC page, and the TPR threshold that the VMCS has. */
  'tpr_shadow',
  'tpr_threshold',
  /** Of a network card that is made to interrupt once: whether the guest has run, whether it was raised (host-interrupt.ts). */
  'host_interrupt',
  /** A signal is pending for the vCPU's thread; it was sent once. */
  'signal_pending',
  'signal_sent',
  /** Single-stepping: KVM has carried an instruction out itself, and user space is to hear of it. */
  'singlestep_due',
  /** The errno with which KVM_RUN fails, 0 where it does not. */
  'run_error',
] as const;
export type VcpuSlot = (typeof SLOTS)[number];

const SLOT_OFFSET: ReadonlyMap<VcpuSlot, number> = new Map(SLOTS.map((slot, index) => [slot, 128 + 8 * index]));

const slotAddress = (slot: VcpuSlot): number => VCPU_STRUCT + (SLOT_OFFSET.get(slot) ?? 0);
/** VTPR in the virtual-APIC page: 7:4 is the task priority. */
const VTPR = VIRTUAL_APIC_PAGE + 0x80;

export const COMPLETE = {
  nothing: 0n,
  skip: 1n,
  input: 2n,
  mmioRead: 3n,
  mmioWrite: 4n,
  hypercall: 5n,
  inputString: 6n,
} as const;

/** Behind the answers of user space (kvm-mmio.ts). */
const MTRR_STATE = 0xc00;
const EXIT_REASON = 8;
const UNION = 32;

/** The part of kvm_run that KVM_EXIT_HYPERCALL fills: the arguments are RBX, RCX, RDX and RSI. */
export interface RunHypercall {
  readonly number: bigint;
  readonly args: readonly bigint[];
}
const HYPERCALL_ARGUMENTS = 4;
const HYPERCALL_RESULT = 56;

/** The part of kvm_run that KVM_EXIT_MMIO fills; `value` holds `bytes` bytes, little-endian. */
export interface RunMmio {
  readonly direction: 'read' | 'write';
  readonly gpa: number;
  readonly bytes: number;
  readonly value: bigint;
}

/** The part of kvm_run that KVM_EXIT_DEBUG fills: kvm_debug_exit_arch. */
export interface RunDebug {
  readonly exception: number;
  /** Linear address of the next instruction. */
  readonly pc: bigint;
  readonly dr6: bigint;
}

/** The part of kvm_run that KVM_EXIT_IO fills. */
export interface RunIo {
  readonly direction: 'in' | 'out';
  /** Of one element. */
  readonly bytes: 1 | 2 | 4;
  readonly port: number;
  readonly count: number;
}

export class KvmVcpu {
  readonly #memory: PhysicalMemory;

  constructor(memory: PhysicalMemory) {
    this.#memory = memory;
  }

  register(name: GeneralRegister): bigint {
    return this.#memory.read(hpa(VCPU_STRUCT + 8 * GENERAL_REGISTERS.indexOf(name)), 8);
  }
  setRegister(name: GeneralRegister, value: bigint): void {
    this.#memory.write(hpa(VCPU_STRUCT + 8 * GENERAL_REGISTERS.indexOf(name)), 8, BigInt.asUintN(64, value));
  }
  get(slot: VcpuSlot): bigint {
    if (slot === 'cr8' && this.#hasTprShadow) return (this.#memory.read(hpa(VTPR), 4) >> 4n) & 0xfn;
    return this.#memory.read(hpa(slotAddress(slot)), 8);
  }
  set(slot: VcpuSlot, value: bigint): void {
    if (slot === 'cr8' && this.#hasTprShadow) this.#memory.write(hpa(VTPR), 4, (value & 0xfn) << 4n);
    else this.#memory.write(hpa(slotAddress(slot)), 8, BigInt.asUintN(64, value));
  }

  get #hasTprShadow(): boolean {
    return this.get('tpr_shadow') !== 0n;
  }
  /** From now on the task priority is in the virtual-APIC page, where a guest changes it without an exit. */
  moveTaskPriority(): void {
    const priority = this.get('cr8');
    this.set('tpr_shadow', 1n);
    this.set('cr8', priority);
  }

  /** A register of mtrr_state, by its place in MTRR_MSRS. */
  memoryTypeRange(index: number): bigint {
    return this.#memory.read(hpa(VCPU_STRUCT + MTRR_STATE + 8 * index), 8);
  }
  setMemoryTypeRange(index: number, value: bigint): void {
    this.#memory.write(hpa(VCPU_STRUCT + MTRR_STATE + 8 * index), 8, value);
  }

  get exitReason(): number {
    return Number(this.#memory.read(hpa(KVM_RUN_PAGE + EXIT_REASON), 4));
  }
  set exitReason(reason: number) {
    this.#memory.write(hpa(KVM_RUN_PAGE + EXIT_REASON), 4, BigInt(reason));
  }

  /** kvm_run.fail_entry.hardware_entry_failure_reason, and internal.suberror: both first in the union. */
  get unionWord(): bigint {
    return this.#memory.read(hpa(KVM_RUN_PAGE + UNION), 8);
  }
  set unionWord(value: bigint) {
    this.#memory.write(hpa(KVM_RUN_PAGE + UNION), 8, value);
  }

  get io(): RunIo {
    const read = (offset: number, bytes: number): number =>
      Number(this.#memory.read(hpa(KVM_RUN_PAGE + UNION + offset), bytes));
    const bytes = read(1, 1);
    const direction = read(0, 1) === 0 ? 'in' : 'out';
    return {direction, bytes: bytes === 4 ? 4 : bytes === 2 ? 2 : 1, port: read(2, 2), count: read(4, 4)};
  }
  set io(io: RunIo) {
    this.#memory.write(hpa(KVM_RUN_PAGE + UNION), 1, io.direction === 'in' ? 0n : 1n);
    this.#memory.write(hpa(KVM_RUN_PAGE + UNION + 1), 1, BigInt(io.bytes));
    this.#memory.write(hpa(KVM_RUN_PAGE + UNION + 2), 2, BigInt(io.port));
    this.#memory.write(hpa(KVM_RUN_PAGE + UNION + 4), 4, BigInt(io.count));
    this.#memory.write(hpa(KVM_RUN_PAGE + UNION + 8), 8, BigInt(PIO_DATA_PAGE - KVM_RUN_PAGE));
  }
  /** kvm_run.hypercall: nr, args[6], ret. */
  get hypercall(): RunHypercall {
    const at = KVM_RUN_PAGE + UNION;
    const args = Array.from({length: HYPERCALL_ARGUMENTS}, (_, index) => this.#memory.read(hpa(at + 8 + 8 * index), 8));
    return {number: this.#memory.read(hpa(at), 8), args};
  }
  set hypercall({number, args}: RunHypercall) {
    const at = KVM_RUN_PAGE + UNION;
    this.#memory.write(hpa(at), 8, number);
    args.forEach((value, index) => this.#memory.write(hpa(at + 8 + 8 * index), 8, value));
  }
  get hypercallResult(): bigint {
    return this.#memory.read(hpa(KVM_RUN_PAGE + UNION + HYPERCALL_RESULT), 8);
  }
  set hypercallResult(value: bigint) {
    this.#memory.write(hpa(KVM_RUN_PAGE + UNION + HYPERCALL_RESULT), 8, value);
  }
  get debug(): RunDebug {
    const at = KVM_RUN_PAGE + UNION;
    const [pc, dr6] = [8, 16].map(offset => this.#memory.read(hpa(at + offset), 8));
    return {exception: Number(this.#memory.read(hpa(at), 4)), pc: pc ?? 0n, dr6: dr6 ?? 0n};
  }
  set debug({exception, pc, dr6}: RunDebug) {
    const at = KVM_RUN_PAGE + UNION;
    this.#memory.write(hpa(at), 4, BigInt(exception));
    this.#memory.write(hpa(at + 8), 8, pc);
    this.#memory.write(hpa(at + 16), 8, dr6);
  }
  get mmio(): RunMmio {
    const at = KVM_RUN_PAGE + UNION;
    return {
      gpa: Number(this.#memory.read(hpa(at), 8)),
      value: this.#memory.read(hpa(at + 8), 8),
      bytes: Number(this.#memory.read(hpa(at + 16), 4)),
      direction: this.#memory.read(hpa(at + 20), 1) === 1n ? 'write' : 'read',
    };
  }
  set mmio({gpa, value, bytes, direction}: RunMmio) {
    const at = KVM_RUN_PAGE + UNION;
    this.#memory.write(hpa(at), 8, BigInt(gpa));
    this.#memory.write(hpa(at + 8), 8, value);
    this.#memory.write(hpa(at + 16), 4, BigInt(bytes));
    this.#memory.write(hpa(at + 20), 1, direction === 'write' ? 1n : 0n);
  }
  /** All elements at data_offset. */
  get ioElements(): Uint8Array {
    const {bytes, count} = this.io;
    return this.#memory.bytes.slice(PIO_DATA_PAGE, PIO_DATA_PAGE + bytes * count);
  }
  set ioElements(elements: Uint8Array) {
    this.#memory.load(hpa(PIO_DATA_PAGE), elements);
  }
  /** The element at data_offset, little-endian. */
  get ioData(): bigint {
    return this.#memory.read(hpa(PIO_DATA_PAGE), 4);
  }
  set ioData(value: bigint) {
    this.#memory.write(hpa(PIO_DATA_PAGE), 4, BigInt.asUintN(32, value));
  }
}

/** Where the general registers of the guest lie while the host runs, for views. */
export const SAVED_REGISTERS = {
  address: VCPU_STRUCT,
  slots: SLOTS,
  offsetOf: (slot: VcpuSlot): number => SLOT_OFFSET.get(slot) ?? 0,
} as const;
