// KVM_RUN: into the guest, out of it, and the choice of who answers. Linux, arch/x86/kvm/x86.c: vcpu_enter_guest;
// arch/x86/kvm/vmx/vmx.c: vmx_vcpu_run, vmx_handle_exit; arch/x86/kvm/vmx/vmenter.S: vmx_vmexit.

import {bits, hex} from '@hyperscope/base';
import {GENERAL_REGISTERS, exceptionAt, exitReasonTitle} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import {vmInstructionErrorTitle} from '@hyperscope/machine';
import {KVM_EXIT} from './kvm-exit-codes.js';
import {COMPLETE} from './kvm-vcpu.js';
import type {VcpuSlot} from './kvm-vcpu.js';
import type {Host} from './host-context.js';
import type {HostRoutine, StepResult} from '../host/host-program.js';
import {skipInstruction} from './guest-registers.js';
import {completeMmio} from './kvm-emulate.js';
import {beforeEntry, interruptAllowed} from './kvm-interrupts.js';
import {completeInput, completeString} from './kvm-io.js';
import {handlerOf} from './kvm-exit-handlers.js';
import {returnToUser} from './system-calls.js';

/** MSRs that the processor does not switch, with the host's and the guest's place for each. */
const SWITCHED: readonly (readonly [Cell, VcpuSlot, VcpuSlot])[] = [
  ['STAR', 'host_star', 'star'],
  ['LSTAR', 'host_lstar', 'lstar'],
  ['CSTAR', 'host_cstar', 'cstar'],
  ['FMASK', 'host_fmask', 'fmask'],
  ['KERNEL_GS_BASE', 'host_kernel_gs_base', 'kernel_gs_base'],
  ['TSC_AUX', 'host_tsc_aux', 'tsc_aux'],
  ['XCR0', 'host_xcr0', 'xcr0'],
];
const VALID = 1n << 31n;
const ENTRY_FAILURE = 1n << 31n;
const NMI_TYPE = 2n;
const BLOCKING_BY_NMI = 8n;

function beginRun(host: Host): StepResult {
  const pending = host.vcpu.get('complete_userspace_io');
  host.vcpu.set('complete_userspace_io', COMPLETE.nothing);
  switch (pending) {
    case COMPLETE.skip: {
      const {from, to} = skipInstruction(host);
      return {say: `the OUT was done by user space: guest RIP ${hex(from)} → ${hex(to)}`, go: 'vcpu_enter_guest'};
    }
    case COMPLETE.input:
      return {say: completeInput(host), go: 'vcpu_enter_guest'};
    case COMPLETE.string:
      return completeString(host);
    case COMPLETE.mmioRead:
    case COMPLETE.mmioWrite:
      return completeMmio(host, pending);
    default:
      if (host.vcpu.get('mp_state') !== 0n)
        return {say: 'the vCPU is still halted: it goes on waiting', go: 'kvm_vcpu_halt'};
      return {say: 'nothing was left unfinished by the last exit', go: 'vcpu_enter_guest'};
  }
}

function prepareGuest(host: Host): StepResult {
  const first = beforeEntry(host);
  if (first !== undefined) return first;
  host.devices.armHostTimer();
  const {registers} = host.machine;
  for (const [cell, ours, guests] of SWITCHED) {
    host.vcpu.set(ours, registers.get(cell));
    registers.set(cell, host.vcpu.get(guests));
  }
  const event = host.vmx.vmread('VM_ENTRY_INTERRUPTION_INFORMATION');
  const injected = (event & VALID) === 0n ? 'nothing to inject' : `to inject: ${eventName(event)}`;
  return {
    say: `vmx_prepare_switch_to_guest: the guest’s SYSCALL MSRs and XCR0 into the processor; ${injected}`,
    go: 'vmx_vcpu_run',
  };
}

function eventName(information: bigint): string {
  const vector = Number(bits(information, 7, 0));
  switch (Number(bits(information, 10, 8))) {
    case 0:
      return `interrupt ${hex(vector)}`;
    case 2:
      return 'an NMI';
    case 4:
      return `INT ${hex(vector)}`;
    default:
      return exceptionAt(vector)?.name ?? `exception ${vector}`;
  }
}

function runGuest(host: Host): StepResult {
  const {registers} = host.machine;
  const here = registers.get('RIP');
  const how = host.vcpu.get('launched') === 1n ? 'VMRESUME' : 'VMLAUNCH';
  const rip = host.vmx.vmread('GUEST_RIP');
  for (const name of GENERAL_REGISTERS) if (name !== 'RSP') registers.set(name, host.vcpu.register(name));
  registers.set('CR2', host.vcpu.get('cr2'));
  host.vmx.enter(how);
  if (registers.get('RIP') === here && registers.get('VMX_OPERATION') === 1n)
    return {say: `${how} failed: ${host.vmx.outcome}`, go: 'vmx_vcpu_run+1'};
  host.vcpu.set('launched', 1n);
  return {
    say: `the guest’s general registers into the processor, then ${how}: on to guest RIP ${hex(rip)}`,
    go: 'processor',
  };
}

function failedEntry(host: Host): StepResult {
  const error = host.vmx.vmread('VM_INSTRUCTION_ERROR');
  restoreHostMsrs(host, 'keep the guest’s');
  failEntry(host, error);
  return {
    say: `read VM_INSTRUCTION_ERROR: ${error}, ${vmInstructionErrorTitle(Number(error))}`,
    go: 'kvm_arch_vcpu_ioctl_run+1',
  };
}

function failEntry(host: Host, reason: bigint): void {
  host.vcpu.exitReason = KVM_EXIT.FAIL_ENTRY;
  host.vcpu.unionWord = reason;
}

/** SWAPGS and passed-through WRMSR change some of them without an exit, so the guest's values are taken back first. */
function restoreHostMsrs(host: Host, guests: 'take the guest’s' | 'keep the guest’s'): void {
  const {registers} = host.machine;
  for (const [cell, ours, theirs] of SWITCHED) {
    if (guests === 'take the guest’s') host.vcpu.set(theirs, registers.get(cell));
    registers.set(cell, host.vcpu.get(ours));
  }
}

function saveGuest(host: Host): StepResult {
  const {registers} = host.machine;
  for (const name of GENERAL_REGISTERS) if (name !== 'RSP') host.vcpu.setRegister(name, registers.get(name));
  host.vcpu.set('cr2', registers.get('CR2'));
  restoreHostMsrs(host, 'take the guest’s');
  return {
    say: 'the processor is back at HOST_RIP, in ring 0; the guest’s general registers go to kvm_vcpu.regs',
    go: 'vmx_handle_exit',
  };
}

function dispatch(host: Host): StepResult {
  const reason = host.vmx.vmread('EXIT_REASON');
  if ((reason & ENTRY_FAILURE) !== 0n) {
    failEntry(host, reason);
    host.handled(
      Number(bits(reason, 15, 0)),
      'user-space',
      'a VM entry that failed on the guest’s state cannot be repaired here: KVM_EXIT_FAIL_ENTRY',
    );
    return {
      say: `read EXIT_REASON: ${hex(reason)}, bit 31 set: ${exitReasonTitle(Number(bits(reason, 15, 0)))}`,
      go: 'kvm_arch_vcpu_ioctl_run+1',
    };
  }
  const again = reinject(host);
  const number = Number(bits(reason, 15, 0));
  return {say: `read EXIT_REASON: ${number}, ${exitReasonTitle(number)}${again}`, go: handlerOf(number)};
}

/** An exit in the middle of an event's delivery: the event has to be injected again (Linux, __vmx_complete_interrupts). */
function reinject(host: Host): string {
  const information = host.vmx.vmread('IDT_VECTORING_INFORMATION');
  if ((information & VALID) === 0n) return '';
  host.vmx.vmwrite('VM_ENTRY_INTERRUPTION_INFORMATION', information & ~(1n << 12n));
  // SDM vol. 3C, "Information for VM Exits During Event Delivery": an NMI that was not delivered must not block itself.
  if (bits(information, 10, 8) === NMI_TYPE) {
    const state = host.vmx.vmread('GUEST_INTERRUPTIBILITY_STATE');
    host.vmx.vmwrite('GUEST_INTERRUPTIBILITY_STATE', state & ~BLOCKING_BY_NMI);
  }
  if ((information & (1n << 11n)) !== 0n)
    host.vmx.vmwrite('VM_ENTRY_EXCEPTION_ERROR_CODE', host.vmx.vmread('IDT_VECTORING_ERROR_CODE'));
  host.vmx.vmwrite('VM_ENTRY_INSTRUCTION_LENGTH', host.vmx.vmread('VM_EXIT_INSTRUCTION_LENGTH'));
  return `; it interrupted the delivery of ${eventName(information)}, which the next VM entry will repeat`;
}

function leaveKernel(host: Host): StepResult {
  if (host.devices.place === 'user') tellInterruptState(host);
  const interrupted = host.vcpu.exitReason === KVM_EXIT.INTR;
  if (interrupted) {
    returnToUser(host, 'KVM_RUN', BigInt.asUintN(64, -4n), '−EINTR');
    return {say: 'KVM_RUN is interrupted: −EINTR', go: 'processor'};
  }
  returnToUser(host, 'KVM_RUN', 0n, `kvm_run.exit_reason = ${host.vcpu.exitReason}`);
  return {say: 'user space is needed: KVM_RUN returns', go: 'processor'};
}

/** What user space needs to know to inject an interrupt itself (Linux, post_kvm_run_save). */
function tellInterruptState(host: Host): void {
  const allowed = interruptAllowed(host);
  host.vcpu.set('if_flag', (host.vmx.vmread('GUEST_RFLAGS') >> 9n) & 1n);
  const isFree = host.vcpu.get('pending_interrupt') === 0n;
  const nothingElse = (host.vmx.vmread('VM_ENTRY_INTERRUPTION_INFORMATION') & VALID) === 0n;
  host.vcpu.set('ready_for_interrupt_injection', allowed && isFree && nothingElse ? 1n : 0n);
}

function skip(host: Host): StepResult {
  const {from, to, length} = skipInstruction(host);
  return {
    say: `read VM_EXIT_INSTRUCTION_LENGTH: ${length}; guest RIP ${hex(from)} → ${hex(to)}`,
    go: 'vcpu_enter_guest',
  };
}

const kernel = (name: string, ...steps: HostRoutine<Host>['steps']): HostRoutine<Host> => ({
  name,
  actor: 'hypervisor',
  steps,
});

export const RUN_ROUTINES: readonly HostRoutine<Host>[] = [
  kernel('kvm_arch_vcpu_ioctl_run', beginRun, leaveKernel),
  kernel('vcpu_enter_guest', prepareGuest),
  kernel('vmx_vcpu_run', runGuest, failedEntry),
  kernel('vmx_vmexit', saveGuest),
  kernel('vmx_handle_exit', dispatch),
  kernel('skip_emulated_instruction', skip),
];
