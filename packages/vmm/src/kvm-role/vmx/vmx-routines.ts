// What kvm_intel adds to the kernel's code: setting up, entry and exit, and who answers which exit reason.
// Linux, arch/x86/kvm/vmx/vmx.c: kvm_vmx_exit_handlers.

import {exitReasonNumber} from '@hyperscope/isa';
import type {ExitReasonName} from '@hyperscope/isa';
import type {HostRoutine, StepResult} from '../../host/host-program.js';
import type {Host} from '../host-context.js';
import {initVmcsSteps} from './init-vmcs.js';
import {
  handleCr,
  handleDescriptorTables,
  handleDr,
  handleEptMisconfiguration,
  handleEptViolation,
  handleException,
  handleExternalInterrupt,
  handleInvlpg,
  handleIoInstruction,
  handleVmxInstruction,
} from './exit-handlers.js';
import {dispatch, failedEntry, runGuest, saveGuest} from './vmx-run.js';
import {CREATE_VCPU_STEPS, ENABLE_STEPS, SET_TSS_STEPS} from './vmx-setup.js';
import {handleTprBelowThreshold} from './tpr-shadow.js';
import type {VmxHardware} from './vmx-hardware.js';

/** Exit reason → routine; those of the generic half among them. */
const TABLE: readonly (readonly [ExitReasonName, string])[] = [
  ['EXCEPTION_NMI', 'handle_exception_nmi'],
  ['EXTERNAL_INTERRUPT', 'handle_external_interrupt'],
  ['TRIPLE_FAULT', 'handle_triple_fault'],
  ['INTERRUPT_WINDOW', 'handle_interrupt_window'],
  ['NMI_WINDOW', 'handle_nmi_window'],
  ['CPUID', 'kvm_emulate_cpuid'],
  ['HLT', 'kvm_emulate_halt'],
  ['INVD', 'kvm_emulate_invd'],
  ['INVLPG', 'handle_invlpg'],
  ['RDPMC', 'kvm_emulate_rdpmc'],
  ['RDTSC', 'handle_rdtsc'],
  ['VMCALL', 'kvm_emulate_hypercall'],
  ['CR_ACCESS', 'handle_cr'],
  ['DR_ACCESS', 'handle_dr'],
  ['IO_INSTRUCTION', 'handle_io'],
  ['RDMSR', 'kvm_emulate_rdmsr'],
  ['WRMSR', 'kvm_emulate_wrmsr'],
  ['MWAIT', 'kvm_emulate_mwait'],
  ['MONITOR', 'kvm_emulate_mwait'],
  ['PAUSE', 'handle_pause'],
  ['TPR_THRESHOLD', 'handle_tpr_below_threshold'],
  ['GDTR_IDTR_ACCESS', 'handle_desc'],
  ['LDTR_TR_ACCESS', 'handle_desc'],
  ['EPT_VIOLATION', 'handle_ept_violation'],
  ['EPT_MISCONFIGURATION', 'handle_ept_misconfig'],
  ['WBINVD', 'kvm_emulate_wbinvd'],
  ['XSETBV', 'kvm_emulate_xsetbv'],
  ['INVEPT', 'handle_vmx_instruction'],
  ['INVVPID', 'handle_vmx_instruction'],
  ['VMCLEAR', 'handle_vmx_instruction'],
  ['VMLAUNCH', 'handle_vmx_instruction'],
  ['VMPTRLD', 'handle_vmx_instruction'],
  ['VMPTRST', 'handle_vmx_instruction'],
  ['VMREAD', 'handle_vmx_instruction'],
  ['VMRESUME', 'handle_vmx_instruction'],
  ['VMWRITE', 'handle_vmx_instruction'],
  ['VMXOFF', 'handle_vmx_instruction'],
  ['VMXON', 'handle_vmx_instruction'],
];
const BY_NUMBER: ReadonlyMap<number, string> = new Map(
  TABLE.map(([name, routine]) => [exitReasonNumber(name), routine]),
);
const handlerOf = (reason: number): string => BY_NUMBER.get(reason) ?? 'kvm_unexpected_exit';

export type VmxStep = (hardware: VmxHardware) => StepResult;

const ROUTINES: readonly (readonly [name: string, ...steps: readonly VmxStep[]])[] = [
  ['vmx_enable_virtualization_cpu', ...ENABLE_STEPS],
  ['vmx_vcpu_create', ...CREATE_VCPU_STEPS],
  ['vmx_set_tss_addr', ...SET_TSS_STEPS],
  ['init_vmcs', ...initVmcsSteps],
  ['vmx_vcpu_run', runGuest, failedEntry],
  ['vmx_vmexit', saveGuest],
  ['vmx_handle_exit', dispatch(handlerOf)],
  ['handle_exception_nmi', handleException],
  ['handle_external_interrupt', handleExternalInterrupt],
  ['handle_invlpg', handleInvlpg],
  ['handle_cr', handleCr],
  ['handle_dr', handleDr],
  ['handle_io', handleIoInstruction],
  ['handle_desc', handleDescriptorTables],
  ['handle_ept_violation', handleEptViolation],
  ['handle_ept_misconfig', handleEptMisconfiguration],
  ['handle_vmx_instruction', handleVmxInstruction],
  ['handle_tpr_below_threshold', handleTprBelowThreshold],
];

export function vmxRoutines(hardware: VmxHardware): readonly HostRoutine<Host>[] {
  return ROUTINES.map(([name, ...steps]) => ({
    name,
    actor: 'hypervisor',
    steps: steps.map(step => () => step(hardware)),
  }));
}
