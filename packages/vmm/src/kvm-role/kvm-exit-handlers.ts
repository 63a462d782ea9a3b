// Who answers which exit: KVM's table of handlers, with the small handlers themselves.
// Linux, arch/x86/kvm/vmx/vmx.c: kvm_vmx_exit_handlers.

import {bits, hex} from '@hyperscope/base';
import {exceptionAt, exitReasonNumber, exitReasonTitle} from '@hyperscope/isa';
import type {ExitReasonName} from '@hyperscope/isa';
import {EMULATE_ROUTINES} from './kvm-emulate.js';
import {KVM_EXIT} from './kvm-exit-codes.js';
import type {Host} from './host-context.js';
import type {HostRoutine, HostStep, StepResult} from '../host/host-program.js';
import {injectException} from './guest-registers.js';
import {handleCpuid} from './kvm-cpuid.js';
import {handleCr, handleDr} from './kvm-cr.js';
import {handleEptViolation, mapPage} from './kvm-ept.js';
import {cannotEmulate} from './kvm-emulation-failure.js';
import {HALT_ROUTINES} from './kvm-halt.js';
import {INTERRUPT_ROUTINES} from './kvm-interrupts.js';
import {handleIo} from './kvm-io.js';
import {IRQCHIP_ROUTINES} from './kvm-irqchip.js';
import {handleRdmsr, handleWrmsr, handleXsetbv, timeStamp} from './kvm-msrs.js';

const SKIP = 'skip_emulated_instruction';
const UD = 6;
const GP = 13;
/** −KVM_ENOSYS: a hypercall number that KVM does not know. */
const ENOSYS = BigInt.asUintN(64, -1000n);

const exitReason = (host: Host): number => Number(bits(host.vmx.vmread('EXIT_REASON'), 15, 0));

function tripleFault(host: Host): StepResult {
  host.vcpu.exitReason = KVM_EXIT.SHUTDOWN;
  host.handled(
    exitReason(host),
    'user-space',
    'a virtual machine that has shut down is for user space to reset: KVM_EXIT_SHUTDOWN',
  );
  return {say: 'the guest’s processor has shut down', go: 'kvm_arch_vcpu_ioctl_run+1'};
}

function nothingToDo(why: string): HostStep<Host> {
  return host => {
    host.handled(exitReason(host), 'kvm', why);
    return {say: `${exitReasonTitle(exitReason(host))}: ${why}`, go: SKIP};
  };
}

function inject(vector: number, why: string): HostStep<Host> {
  return host => {
    injectException(host, vector, vector === GP ? 0 : undefined);
    host.handled(exitReason(host), 'kvm', why);
    return {say: `${exitReasonTitle(exitReason(host))}: ${why}`, go: 'vcpu_enter_guest'};
  };
}

/** An exception that the bitmap asked for: it goes back to the guest it came from. */
function handleException(host: Host): StepResult {
  const information = host.vmx.vmread('VM_EXIT_INTERRUPTION_INFORMATION');
  const vector = Number(bits(information, 7, 0));
  if (vector === 14) host.vcpu.set('cr2', host.vmx.vmread('EXIT_QUALIFICATION'));
  if ((information & 0x800n) !== 0n)
    host.vmx.vmwrite('VM_ENTRY_EXCEPTION_ERROR_CODE', host.vmx.vmread('VM_EXIT_INTERRUPTION_ERROR_CODE'));
  host.vmx.vmwrite('VM_ENTRY_INSTRUCTION_LENGTH', host.vmx.vmread('VM_EXIT_INSTRUCTION_LENGTH'));
  host.vmx.vmwrite('VM_ENTRY_INTERRUPTION_INFORMATION', information & ~(1n << 12n));
  const name = exceptionAt(vector)?.name ?? `vector ${vector}`;
  host.handled(exitReason(host), 'kvm', `${name} is the guest’s own: it is injected back`);
  return {
    say: `read VM_EXIT_INTERRUPTION_INFORMATION: ${hex(information)}, ${name}; the next VM entry injects it`,
    go: 'vcpu_enter_guest',
  };
}

function readTimeStamp(host: Host): StepResult {
  const value = timeStamp(host);
  host.vcpu.setRegister('RAX', value & 0xffff_ffffn);
  host.vcpu.setRegister('RDX', value >> 32n);
  host.handled(exitReason(host), 'kvm', 'KVM reads the time-stamp counter for the guest');
  return {say: `RDTSC: EDX:EAX ← ${hex(value)}`, go: SKIP};
}

function invalidatePage(host: Host): StepResult {
  const linear = host.vmx.vmread('EXIT_QUALIFICATION');
  host.vmx.invept(host.vmx.vmread('EPT_POINTER'));
  host.handled(exitReason(host), 'kvm', 'KVM forgets the guest’s cached translations');
  return {say: `INVLPG of ${hex(linear)}: INVEPT`, go: SKIP};
}

function hypercall(host: Host): StepResult {
  const number = host.vcpu.register('RAX');
  host.vcpu.setRegister('RAX', ENOSYS);
  host.handled(exitReason(host), 'kvm', `hypercall ${number} is none that this KVM knows: RAX ← −KVM_ENOSYS`);
  return {say: `VMCALL with RAX = ${hex(number)}: an unknown hypercall, RAX ← −1000`, go: SKIP};
}

const kernel = (name: string, ...steps: readonly HostStep<Host>[]): HostRoutine<Host> => ({
  name,
  actor: 'hypervisor',
  steps,
});

/** Exit reason → handler. */
const TABLE: readonly (readonly [ExitReasonName, HostRoutine<Host>['name']])[] = [
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

/** The routine that answers an exit. */
export const handlerOf = (reason: number): string => BY_NUMBER.get(reason) ?? 'vmx_unexpected_exit';

export const HANDLER_ROUTINES: readonly HostRoutine<Host>[] = [
  kernel('handle_exception_nmi', handleException),
  kernel('handle_triple_fault', tripleFault),
  kernel('kvm_emulate_cpuid', handleCpuid),
  kernel('kvm_emulate_invd', nothingToDo('the caches are not the guest’s to throw away')),
  kernel('handle_invlpg', invalidatePage),
  kernel('kvm_emulate_rdpmc', inject(GP, 'the guest has no performance counters: #GP(0)')),
  kernel('handle_rdtsc', readTimeStamp),
  kernel('kvm_emulate_hypercall', hypercall),
  kernel('handle_cr', handleCr),
  kernel('handle_dr', handleDr),
  kernel('handle_io', handleIo),
  kernel('kvm_emulate_rdmsr', handleRdmsr),
  kernel('kvm_emulate_wrmsr', handleWrmsr),
  kernel('kvm_emulate_mwait', nothingToDo('treated as a NOP, as KVM does')),
  kernel('handle_pause', nothingToDo('the guest is waiting for something; another vCPU could run now')),
  kernel('handle_desc', host => ({
    say: `${exitReasonTitle(exitReason(host))}: the instruction has to be carried out in software`,
    go: 'x86_emulate_instruction',
  })),
  kernel('handle_ept_violation', handleEptViolation),
  kernel('kvm_tdp_page_fault', mapPage),
  kernel('handle_ept_misconfig', host => cannotEmulate(host, 'an EPT entry is malformed')),
  kernel('kvm_emulate_wbinvd', nothingToDo('the caches of the simulated machine hide nothing')),
  kernel('kvm_emulate_xsetbv', handleXsetbv),
  kernel('handle_vmx_instruction', inject(UD, 'this KVM does not offer VMX to its guests: #UD')),
  kernel('vmx_unexpected_exit', host =>
    cannotEmulate(host, `this hypervisor has no handler for exit reason ${exitReason(host)}`),
  ),
  ...HALT_ROUTINES,
  ...INTERRUPT_ROUTINES,
  ...EMULATE_ROUTINES,
  ...IRQCHIP_ROUTINES,
];
