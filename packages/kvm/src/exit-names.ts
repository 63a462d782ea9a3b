// What linux/kvm.h calls an exit. KVM_RUN's EINTR is no exit and has only its errno.

import type {VmExit, VmExitReason} from '@hyperscope/vmm';

const NAMES = {
  io: 'KVM_EXIT_IO',
  mmio: 'KVM_EXIT_MMIO',
  hypercall: 'KVM_EXIT_HYPERCALL',
  hlt: 'KVM_EXIT_HLT',
  shutdown: 'KVM_EXIT_SHUTDOWN',
  debug: 'KVM_EXIT_DEBUG',
  'irq-window-open': 'KVM_EXIT_IRQ_WINDOW_OPEN',
  'set-tpr': 'KVM_EXIT_SET_TPR',
  rdmsr: 'KVM_EXIT_X86_RDMSR',
  wrmsr: 'KVM_EXIT_X86_WRMSR',
  'fail-entry': 'KVM_EXIT_FAIL_ENTRY',
  'internal-error': 'KVM_EXIT_INTERNAL_ERROR',
  interrupted: 'EINTR',
  unknown: 'KVM_EXIT_UNKNOWN',
} as const satisfies Readonly<Record<VmExitReason, string>>;

export function kvmExitName(exit: VmExit): string {
  return NAMES[exit.reason];
}
