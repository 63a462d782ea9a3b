// Single-stepping from outside: KVM_SET_GUEST_DEBUG with KVM_GUESTDBG_SINGLESTEP. KVM sets RFLAGS.TF behind the guest's back, #DB
// leaves the guest, and KVM_RUN returns with KVM_EXIT_DEBUG. An instruction that KVM carries out itself raises no #DB: there KVM
// returns in its place. Linux, arch/x86/kvm/x86.c: kvm_arch_vcpu_ioctl_set_guest_debug, kvm_vcpu_do_singlestep.

import {hex} from '@hyperscope/base';
import {KVM_EXIT} from './kvm-exit-codes.js';
import type {Host} from './host-context.js';
import type {HostRoutine, StepResult} from '../host/host-program.js';
import {ioctl} from './qemu-ioctl.js';
import {returnToUser} from './system-calls.js';

const DB = 1;
const TF = 0x100n;
/** DR6.BS beside the bits that are always 1. */
const DR6_SINGLE_STEP = 0xffff_4ff0n;

export const isSingleStepping = (host: Host): boolean => host.options.guestDebug === 'single-step';

/** Before an entry: TF is set again, for the guest may have changed RFLAGS; an instruction that KVM has carried out is told. */
export function stepBeforeEntry(host: Host): StepResult | undefined {
  if (!isSingleStepping(host)) return undefined;
  if (host.vcpu.get('singlestep_due') !== 0n) {
    host.vcpu.set('singlestep_due', 0n);
    return tellDebugger(host, 'KVM has carried the instruction out itself, which raises no #DB');
  }
  host.hardware.set('RFLAGS', host.hardware.get('RFLAGS') | TF);
  // A shadow of STI or MOV SS would hold the trap back.
  host.hardware.set('INTERRUPT_SHADOW', 0n);
  return undefined;
}

/** The processor has raised #DB behind an instruction. */
export function debugException(host: Host, read: string): StepResult {
  host.handled('user-space', 'user space steps the guest: KVM_EXIT_DEBUG');
  return tellDebugger(host, `${read}, #DB`);
}

function tellDebugger(host: Host, why: string): StepResult {
  const pc = host.hardware.get('CS.base') + host.hardware.get('RIP');
  host.vcpu.debug = {exception: DB, pc, dr6: DR6_SINGLE_STEP};
  host.vcpu.exitReason = KVM_EXIT.DEBUG;
  return {say: `${why}: KVM_EXIT_DEBUG, the next instruction is at ${hex(pc)}`, go: 'kvm_arch_vcpu_ioctl_run+1'};
}

function setGuestDebug(host: Host): StepResult {
  returnToUser(host, 'KVM_SET_GUEST_DEBUG', 0n, '0');
  return {say: 'from now on RFLAGS.TF is set at each entry, and #DB leaves the guest', go: 'processor'};
}

/** User space: what QEMU does for gdb. */
export const GUEST_DEBUG_ROUTINES: readonly HostRoutine<Host>[] = [
  {
    name: 'kvm_update_guest_debug',
    actor: 'vmm',
    steps: [
      ioctl('KVM_SET_GUEST_DEBUG', 'ioctl(KVM_SET_GUEST_DEBUG): KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP'),
      () => ({say: 'the guest will be stepped', go: 'kvm_cpu_exec'}),
    ],
  },
  {
    name: 'gdb_handlesig',
    actor: 'vmm',
    steps: [
      host => ({
        say: `the debugger has its step, at ${hex(host.vcpu.debug.pc)}, and asks for the next`,
        go: 'kvm_cpu_exec',
      }),
    ],
  },
  {name: 'kvm_arch_vcpu_ioctl_set_guest_debug', actor: 'hypervisor', steps: [setGuestDebug]},
];
