// Numbers of KVM's interface: include/uapi/linux/kvm.h and arch/x86/include/uapi/asm/kvm.h. They are ABI and never change.

export {KVM_EXIT} from '@hyperscope/vmm';

export const KVM_API_VERSION = 12;

export const KVM_CAP = {
  NR_MEMSLOTS: 10,
  /** Answers with the page of a vCPU's mapping that holds the ring. */
  COALESCED_MMIO: 15,
  SET_GUEST_DEBUG: 23,
  SYNC_REGS: 74,
  READONLY_MEM: 81,
  SPLIT_IRQCHIP: 121,
  IMMEDIATE_EXIT: 136,
  X86_DISABLE_EXITS: 143,
  NESTED_STATE: 157,
  X86_USER_SPACE_MSR: 188,
  SREGS2: 200,
  BINARY_STATS_FD: 203,
} as const;

/** Flags of KVM_SET_USER_MEMORY_REGION. */
export const KVM_MEM = {LOG_DIRTY_PAGES: 1, READONLY: 2} as const;

/** Flag of KVM_CREATE_PIT2: port 61h, the speaker's and the gate of counter 2, is the kernel's too. */
export const KVM_PIT_SPEAKER_DUMMY = 1;

/** Bits of kvm_valid_regs: what KVM_RUN leaves in kvm_run.s.regs. */
export const KVM_SYNC_X86 = {REGS: 1, SREGS: 2, EVENTS: 4} as const;

/** What KVM_GET_MP_STATE answers of a vCPU that is alone. */
export const KVM_MP_STATE = {RUNNABLE: 0, HALTED: 3} as const;

/** Bits of kvm_guest_debug.control. */
export const KVM_GUESTDBG = {ENABLE: 1, SINGLESTEP: 2} as const;

/** Flags of a range of the MSR filter, and of the argument of KVM_CAP_X86_USER_SPACE_MSR. */
export const KVM_MSR_FILTER = {READ: 1, WRITE: 2} as const;

/** Bits of kvm_run.msr.reason. */
export const KVM_MSR_EXIT_REASON = {INVAL: 1, UNKNOWN: 2, FILTER: 4} as const;

/** Where Intel's real-mode support may put its TSS and page table: below the BIOS, where no RAM is. */
export const TSS_ADDRESS = 0xfffb_d000;
export const IDENTITY_MAP_ADDRESS = 0xfffb_c000;

/** RAM must end below the hole for devices at 3 GiB. */
export const LARGEST_MEMORY = 0xc000_0000;

export const PAGE_BYTES = 4096;
