// What KVM does with a hardware exit: most it answers itself, few need user space. From KVM's own sources:
// arch/x86/kvm/vmx/vmx.c (kvm_vmx_exit_handlers) and Documentation/virt/kvm/api.rst.

import {exitReasonTitle} from '@hyperscope/isa';
import type {VmExitInformation} from '@hyperscope/machine';
import {svmRouteSentence} from './svm-exit-routes.js';

const ROUTES: Readonly<Record<number, string>> = {
  0: 'KVM looks at the exception: it emulates, injects it into the guest, or reports KVM_EXIT_DEBUG to a debugger.',
  1: 'The interrupt is the host’s own: its handler runs, timers of virtual devices that are due act, and the guest is resumed, with an interrupt of its own if one came of it.',
  2: 'The guest is beyond help: ioctl(KVM_RUN) returns to the user-space VMM with KVM_EXIT_SHUTDOWN.',
  7: 'KVM injects the interrupt that was waiting for this window, or tells user space with KVM_EXIT_IRQ_WINDOW_OPEN.',
  10: 'KVM answers CPUID from the table that user space gave it with KVM_SET_CPUID2, and resumes the guest: user space hears nothing.',
  8: 'KVM injects the NMI that was waiting for this window.',
  12: 'With no interrupt controller in the kernel, ioctl(KVM_RUN) returns to the user-space VMM with KVM_EXIT_HLT; with one, KVM waits itself.',
  14: 'KVM drops the translation and resumes the guest: user space hears nothing.',
  16: 'KVM reads the counter for the guest and resumes it: user space hears nothing.',
  18: 'KVM answers the hypercall and resumes the guest: user space hears nothing.',
  28: 'KVM emulates the access to the control register and resumes the guest: user space hears nothing.',
  29: 'KVM emulates the access to the debug register and resumes the guest: user space hears nothing.',
  30: 'An in-kernel device at this port (PIC, PIT) answers at once; for any other, ioctl(KVM_RUN) returns to the user-space VMM with KVM_EXIT_IO.',
  31: 'KVM answers RDMSR and resumes the guest: user space hears nothing unless it asked to.',
  32: 'KVM carries out WRMSR and resumes the guest: user space hears nothing unless it asked to.',
  48: 'If a memory slot covers the address, KVM adds the missing EPT entry and resumes the guest; else KVM’s emulator carries the instruction out, and for a device that is not in the kernel user space gets KVM_EXIT_MMIO.',
  49: 'KVM uses misconfigured entries on purpose, to mark device memory; others are errors of KVM itself.',
};

/** One sentence: who answers this exit. */
export const routeOfExit = (exit: Pick<VmExitInformation, 'reason' | 'svm'>): string =>
  exit.svm === undefined ? routeSentence(exit.reason) : svmRouteSentence(exit.svm.code);

/** The same for a reason of VT-x. */
export function routeSentence(reason: number): string {
  return (
    ROUTES[reason & 0xffff] ?? `KVM handles “${exitReasonTitle(reason & 0xffff)}” itself, as far as it supports it.`
  );
}
