// What KVM does with an exit of SVM. From KVM's own sources: arch/x86/kvm/svm/svm.c, svm_exit_handlers.

import {SVM_EXIT, SVM_EXIT_BASE, svmExitCode, svmInterceptExit} from '@hyperscope/isa';
import type {SvmInterceptName} from '@hyperscope/isa';

const PAGE_FAULT = SVM_EXIT_BASE.exception + 14;

const BY_INTERCEPT: readonly (readonly [SvmInterceptName, string])[] = [
  [
    'INTR',
    'The interrupt is the host’s own: its handler runs, timers of virtual devices that are due act, and the guest is resumed, with an interrupt of its own if one came of it.',
  ],
  ['NMI', 'The NMI is the host’s own: its handler runs, and the guest is resumed.'],
  [
    'VINTR',
    'KVM had asked for it by a virtual interrupt: it injects the interrupt that was waiting for this window, or tells user space with KVM_EXIT_IRQ_WINDOW_OPEN.',
  ],
  ['CR0_SEL_WRITE', 'KVM carries out the write of CR0 and resumes the guest: user space hears nothing.'],
  ['RDTSC', 'KVM reads the counter for the guest and resumes it: user space hears nothing.'],
  [
    'CPUID',
    'KVM answers CPUID from the table that user space gave it with KVM_SET_CPUID2, and resumes the guest: user space hears nothing.',
  ],
  ['IRET', 'The guest’s NMI handler is nearly done: KVM lets the IRET run, and NMIs count as unmasked behind it.'],
  [
    'HLT',
    'With no interrupt controller in the kernel, ioctl(KVM_RUN) returns to the user-space VMM with KVM_EXIT_HLT; with one, KVM waits itself.',
  ],
  ['INVLPG', 'KVM drops or synchronizes the shadow entry and resumes the guest: user space hears nothing.'],
  [
    'IOIO',
    'An in-kernel device at this port (PIC, PIT) answers at once; for any other, ioctl(KVM_RUN) returns to the user-space VMM with KVM_EXIT_IO.',
  ],
  ['MSR', 'KVM carries out RDMSR or WRMSR and resumes the guest: user space hears nothing unless it asked to.'],
  ['SHUTDOWN', 'The guest is beyond help: ioctl(KVM_RUN) returns to the user-space VMM with KVM_EXIT_SHUTDOWN.'],
  ['VMMCALL', 'KVM answers the hypercall and resumes the guest: user space hears nothing unless the call is for it.'],
];

const BY_CODE: ReadonlyMap<number, string> = new Map<number, string>([
  ...BY_INTERCEPT.map(([name, sentence]): [number, string] => [svmInterceptExit(name), sentence]),
  [
    SVM_EXIT.NPF,
    'If a memory slot covers the address, KVM adds the missing entry of the nested tables and resumes the guest; else KVM’s emulator carries the instruction out, and for a device that is not in the kernel user space gets KVM_EXIT_MMIO.',
  ],
  [
    PAGE_FAULT,
    'With shadow page tables every #PF of the guest comes here: KVM mends the shadow and resumes the guest, or, where the guest’s own tables refuse the access, injects the #PF.',
  ],
  [SVM_EXIT.INVALID, 'KVM cannot repair it: ioctl(KVM_RUN) returns with KVM_EXIT_FAIL_ENTRY.'],
]);

/** One sentence: who answers an exit of this code. */
export function svmRouteSentence(code: number): string {
  const own = BY_CODE.get(code);
  if (own !== undefined) return own;
  if (code < SVM_EXIT_BASE.drRead)
    return 'KVM emulates the access to the control register and resumes the guest: user space hears nothing.';
  if (code < SVM_EXIT_BASE.exception)
    return 'KVM emulates the access to the debug register and resumes the guest: user space hears nothing.';
  if (code < SVM_EXIT_BASE.word3) return 'KVM looks at the exception: it emulates, or injects it into the guest.';
  return `KVM handles “${svmExitCode(code).title}” itself, as far as it supports it.`;
}
