// KVM_RUN: what is left from the last exit, what has to happen before the guest is entered, and the way back to user
// space. Entry and exit themselves are the vendor half's. Linux, arch/x86/kvm/x86.c: vcpu_enter_guest.

import {bit, hex} from '@hyperscope/base';
import {KVM_EXIT} from './kvm-exit-codes.js';
import {COMPLETE} from './kvm-vcpu.js';
import {NO_EXIT} from './host-context.js';
import type {Host} from './host-context.js';
import type {HostRoutine, StepResult} from '../host/host-program.js';
import {guestEventName} from './guest-event-name.js';
import {completeInputString, completeMmio} from './kvm-emulate.js';
import {completeHypercall} from './kvm-exit-handlers.js';
import {stepBeforeEntry} from './guest-debug.js';
import {beforeEntry, interruptAllowed, leaveForSignal} from './kvm-interrupts.js';
import {completeInput} from './kvm-io.js';
import {returnToUser} from './system-calls.js';

const IF = 9;
const ENOSPC = 28n;

function beginRun(host: Host): StepResult {
  const pending = host.vcpu.get('complete_userspace_io');
  host.vcpu.set('complete_userspace_io', COMPLETE.nothing);
  switch (pending) {
    case COMPLETE.skip: {
      const {from, to} = host.hardware.skipInstruction();
      return {say: `the OUT was done by user space: guest RIP ${hex(from)} → ${hex(to)}`, go: 'vcpu_enter_guest'};
    }
    case COMPLETE.input:
      return {say: completeInput(host), go: 'vcpu_enter_guest'};
    case COMPLETE.hypercall:
      return completeHypercall(host);
    case COMPLETE.inputString:
      return completeInputString(host);
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
  if (host.vcpu.get('triple_fault') !== 0n) return shutDown(host);
  if (host.vcpu.get('signal_pending') !== 0n)
    return leaveForSignal(host, 'another thread of the process kicks this one');
  const stepped = stepBeforeEntry(host);
  if (stepped !== undefined) return stepped;
  const first = beforeEntry(host);
  if (first !== undefined) return first;
  const refused = host.hardware.whyNotEnterable?.();
  if (refused !== undefined) {
    host.vcpu.set('exit_reason', NO_EXIT);
    return {say: `VM entry would refuse the guest: ${refused}`, go: 'handle_invalid_guest_state'};
  }
  if (host.mmu.kind === 'shadow' && !host.hasMemory) return noShadowPages(host);
  host.devices.armHostTimer();
  const root = host.mmu.reload();
  const switched = host.hardware.prepareSwitchToGuest();
  const event = host.hardware.pendingInjection();
  const injected = event === undefined ? 'nothing to inject' : `to inject: ${guestEventName(event)}`;
  return {
    say: `${root === undefined ? '' : `${root}; `}${switched}; ${injected}`,
    go: host.hardware.entryPoints.run,
  };
}

/** Linux, arch/x86/kvm/mmu/mmu.c: make_mmu_pages_available. measured on real KVM: packages/kvm/src/ioctl-loop.kvmtest.ts. */
function noShadowPages(host: Host): StepResult {
  host.vcpu.set('run_error', ENOSPC);
  return {
    say: 'kvm_mmu_load: a root for the shadow is needed, and a guest without memory slots is allowed no shadow page: −ENOSPC',
    go: 'kvm_arch_vcpu_ioctl_run+1',
  };
}

function shutDown(host: Host): StepResult {
  host.vcpu.set('triple_fault', 0n);
  host.vcpu.exitReason = KVM_EXIT.SHUTDOWN;
  return {
    say: 'an event cannot be delivered, nor the #DF that follows: KVM_EXIT_SHUTDOWN',
    go: 'kvm_arch_vcpu_ioctl_run+1',
  };
}

/** Linux, handle_invalid_guest_state: one instruction at a time, until VM entry would accept the guest. */
function emulateOne(host: Host): StepResult {
  return {
    say: `no exit brought KVM here: it carries out the guest’s instruction at RIP ${hex(host.hardware.get('RIP'))} itself, and looks again`,
    go: 'x86_emulate_instruction',
  };
}

function leaveKernel(host: Host): StepResult {
  const error = host.vcpu.get('run_error');
  if (error !== 0n) {
    returnToUser(host, 'KVM_RUN', BigInt.asUintN(64, -error), '−ENOSPC');
    return {say: 'KVM_RUN fails: −ENOSPC', go: 'processor'};
  }
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
  host.vcpu.set('if_flag', bit(host.hardware.get('RFLAGS'), IF) ? 1n : 0n);
  const isFree = host.vcpu.get('pending_interrupt') === 0n;
  const nothingElse = host.hardware.pendingInjection() === undefined;
  host.vcpu.set('ready_for_interrupt_injection', allowed && isFree && nothingElse ? 1n : 0n);
}

function skip(host: Host): StepResult {
  const {from, to, how} = host.hardware.skipInstruction();
  return {
    say: `${how}; guest RIP ${hex(from)} → ${hex(to)}`,
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
  kernel('skip_emulated_instruction', skip),
  kernel('handle_invalid_guest_state', emulateOne),
];
