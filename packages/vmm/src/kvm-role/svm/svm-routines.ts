// What kvm_amd adds to the kernel's code: setting up, entry and exit, and who answers which EXITCODE.
// Linux, arch/x86/kvm/svm/svm.c: svm_exit_handlers.

import {SVM_EXIT, SVM_EXIT_BASE, svmInterceptExit} from '@hyperscope/isa';
import type {SvmInterceptName} from '@hyperscope/isa';
import type {HostRoutine, StepResult} from '../../host/host-program.js';
import type {Host} from '../host-context.js';
import {
  crInterception,
  emulateOnInterception,
  drInterception,
  exceptionInterception,
  intrInterception,
  invlpgInterception,
  ioInterception,
  msrInterception,
  nmiInterception,
  npfInterception,
  pfInterception,
  svmInstructionInterception,
} from './exit-handlers.js';
import {interceptDebug, interceptIret} from './nmi-window.js';
import type {SvmHardware} from './svm-hardware.js';
import {dispatch, prepareVmcb, runGuest, saveGuest} from './svm-run.js';
import {CREATE_VCPU_STEPS, ENABLE_STEPS, INIT_VMCB_STEPS} from './svm-setup.js';

/** Intercept → routine; those of the generic half among them. */
const TABLE: readonly (readonly [SvmInterceptName, string])[] = [
  ['INTR', 'intr_interception'],
  ['NMI', 'nmi_interception'],
  ['VINTR', 'handle_interrupt_window'],
  ['CR0_SEL_WRITE', 'cr_interception'],
  ['RDTSC', 'handle_rdtsc'],
  ['RDPMC', 'kvm_emulate_rdpmc'],
  ['CPUID', 'kvm_emulate_cpuid'],
  ['IRET', 'iret_interception'],
  ['INVD', 'kvm_emulate_invd'],
  ['PAUSE', 'handle_pause'],
  ['HLT', 'kvm_emulate_halt'],
  ['INVLPG', 'invlpg_interception'],
  ['INVLPGA', 'svm_instruction_interception'],
  ['IOIO', 'io_interception'],
  ['MSR', 'msr_interception'],
  ['SHUTDOWN', 'handle_triple_fault'],
  ['VMRUN', 'svm_instruction_interception'],
  ['VMMCALL', 'kvm_emulate_hypercall'],
  ['VMLOAD', 'svm_instruction_interception'],
  ['VMSAVE', 'svm_instruction_interception'],
  ['STGI', 'svm_instruction_interception'],
  ['CLGI', 'svm_instruction_interception'],
  ['SKINIT', 'svm_instruction_interception'],
  ['WBINVD', 'kvm_emulate_wbinvd'],
  ['MONITOR', 'kvm_emulate_mwait'],
  ['MWAIT', 'kvm_emulate_mwait'],
  ['XSETBV', 'kvm_emulate_xsetbv'],
  // KVM asks for none of these; a lesson may, because VT-x cannot.
  ['PUSHF', 'emulate_on_interception'],
  ['POPF', 'emulate_on_interception'],
  ['IDTR_READ', 'emulate_on_interception'],
  ['GDTR_READ', 'emulate_on_interception'],
  ['LDTR_READ', 'emulate_on_interception'],
  ['TR_READ', 'emulate_on_interception'],
  ['IDTR_WRITE', 'emulate_on_interception'],
  ['GDTR_WRITE', 'emulate_on_interception'],
  ['LDTR_WRITE', 'emulate_on_interception'],
  ['TR_WRITE', 'emulate_on_interception'],
];
const BY_CODE: ReadonlyMap<number, string> = new Map<number, string>([
  ...TABLE.map(([name, routine]): [number, string] => [svmInterceptExit(name), routine]),
  [SVM_EXIT_BASE.exception + 1, 'db_interception'],
  [SVM_EXIT_BASE.exception + 14, 'pf_interception'],
  [SVM_EXIT.NPF, 'npf_interception'],
]);

/** The codes of registers and exceptions come in families. */
function handlerOf(code: number): string {
  const own = BY_CODE.get(code);
  if (own !== undefined) return own;
  if (code < SVM_EXIT_BASE.drRead) return 'cr_interception';
  if (code < SVM_EXIT_BASE.exception) return 'dr_interception';
  return code < SVM_EXIT_BASE.word3 ? 'exception_interception' : 'kvm_unexpected_exit';
}

type SvmStep = (hardware: SvmHardware) => StepResult;

const ROUTINES: readonly (readonly [name: string, ...steps: readonly SvmStep[]])[] = [
  ['svm_enable_virtualization_cpu', ...ENABLE_STEPS],
  ['svm_vcpu_create', ...CREATE_VCPU_STEPS],
  ['init_vmcb', ...INIT_VMCB_STEPS],
  ['svm_vcpu_run', prepareVmcb, runGuest, saveGuest],
  ['svm_handle_exit', dispatch(handlerOf)],
  ['cr_interception', crInterception],
  ['dr_interception', drInterception],
  ['db_interception', interceptDebug],
  ['exception_interception', exceptionInterception],
  ['intr_interception', intrInterception],
  ['nmi_interception', nmiInterception],
  ['iret_interception', interceptIret],
  ['io_interception', ioInterception],
  ['msr_interception', msrInterception],
  ['invlpg_interception', invlpgInterception],
  ['pf_interception', pfInterception],
  ['npf_interception', npfInterception],
  ['svm_instruction_interception', svmInstructionInterception],
  ['emulate_on_interception', emulateOnInterception],
];

export function svmRoutines(hardware: SvmHardware): readonly HostRoutine<Host>[] {
  return ROUTINES.map(([name, ...steps]) => ({
    name,
    actor: 'hypervisor',
    steps: steps.map(step => () => step(hardware)),
  }));
}
