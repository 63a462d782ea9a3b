// What KVM_RUN tells user space, by number. Linux, include/uapi/linux/kvm.h, KVM_EXIT_*.

export const KVM_EXIT = {
  UNKNOWN: 0,
  EXCEPTION: 1,
  IO: 2,
  HYPERCALL: 3,
  DEBUG: 4,
  HLT: 5,
  MMIO: 6,
  IRQ_WINDOW_OPEN: 7,
  SHUTDOWN: 8,
  FAIL_ENTRY: 9,
  INTR: 10,
  SET_TPR: 11,
  INTERNAL_ERROR: 17,
  SYSTEM_EVENT: 24,
  X86_RDMSR: 29,
  X86_WRMSR: 30,
} as const;

/** KVM_INTERNAL_ERROR_*. */
export const INTERNAL_ERROR = {EMULATION: 1, DELIVERY_EV: 3, UNEXPECTED_EXIT_REASON: 4} as const;
