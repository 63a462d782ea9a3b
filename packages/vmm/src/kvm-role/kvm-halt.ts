// HLT. Without an interrupt controller in the kernel only user space can know what to wait for; with one, KVM lets the
// host do something else until an event comes. Linux, arch/x86/kvm/x86.c: kvm_emulate_halt, kvm_vcpu_halt,
// kvm_vcpu_has_events.

import {KVM_EXIT} from './kvm-exit-codes.js';
import {flushCoalescedWrites} from './qemu-memory.js';
import type {Host} from './host-context.js';
import type {HostRoutine, StepResult} from '../host/host-program.js';
import {interruptAllowed, leaveForSignal, nmiAllowed, whyUserSpace} from './kvm-interrupts.js';

const HALTED = 1n;

function emulateHalt(host: Host): StepResult {
  const inKernel = host.devices.place === 'kernel';
  if (!inKernel) host.vcpu.exitReason = KVM_EXIT.HLT;
  host.handled(
    inKernel ? 'kvm' : 'user-space',
    inKernel
      ? 'the interrupt controller is in the kernel, so KVM itself waits for what will wake the guest'
      : 'without an interrupt controller in the kernel, only user space can wake the guest: KVM_EXIT_HLT',
  );
  return {
    say: inKernel
      ? 'HLT: the interrupt controller is in the kernel, so KVM waits'
      : 'HLT: there is no in-kernel interrupt controller, so user space has to wait for an event',
    go: 'kvm_emulate_halt+1',
  };
}

function skipHalt(host: Host): StepResult {
  const {to} = host.hardware.skipInstruction();
  // Linux, kvm_emulate_halt: KVM_EXIT_HLT overwrites KVM_EXIT_DEBUG.
  host.vcpu.set('singlestep_due', 0n);
  const inKernel = host.devices.place === 'kernel';
  if (inKernel) host.vcpu.set('mp_state', HALTED);
  return {
    say: `guest RIP → 0x${to.toString(16)}, past the HLT`,
    go: inKernel ? 'kvm_vcpu_halt' : 'kvm_arch_vcpu_ioctl_run+1',
  };
}

function wait(host: Host): StepResult {
  const {devices, vcpu} = host;
  const why = whyUserSpace(host);
  if (why !== undefined) return leaveForSignal(host, why);
  if (devices.isKernelTimerDue) return {say: 'a timer of KVM’s is due', go: 'hrtimer_interrupt'};
  const takes = interruptAllowed(host);
  if ((vcpu.get('nmi_pending') !== 0n && nmiAllowed(host)) || (takes && devices.chipset.requested !== undefined)) {
    vcpu.set('mp_state', 0n);
    return {say: 'an event for the guest: the vCPU is runnable again', go: 'vcpu_enter_guest'};
  }
  const until = takes ? devices.nextWake : Infinity;
  if (until === Infinity) {
    flushCoalescedWrites(host);
    host.finish({kind: 'halted'});
    return {
      say: `the guest has halted${takes ? '' : ' with RFLAGS.IF = 0'}, and no device has an interrupt for it: KVM_RUN would wait for ever, and the run is over`,
      go: 'kvm_vcpu_halt',
    };
  }
  devices.sleepUntil(until);
  return {
    say: 'schedule(): the vCPU sleeps, and the host does something else until a device’s time is up',
    go: 'kvm_vcpu_halt',
  };
}

export const HALT_ROUTINES: readonly HostRoutine<Host>[] = [
  {name: 'kvm_emulate_halt', actor: 'hypervisor', steps: [emulateHalt, skipHalt]},
  {name: 'kvm_vcpu_halt', actor: 'hypervisor', steps: [wait]},
];
