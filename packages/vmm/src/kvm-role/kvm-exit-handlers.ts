// Handlers that are the same whichever hardware reported the exit. Each vendor half has the table that leads here.
// Linux, arch/x86/kvm/x86.c: kvm_emulate_invd, kvm_emulate_hypercall, …

import {hex} from '@hyperscope/base';
import {CONSOLE_WRITE} from '@hyperscope/machine';
import {EMULATE_ROUTINES} from './kvm-emulate.js';
import {KVM_EXIT} from './kvm-exit-codes.js';
import type {Host} from './host-context.js';
import type {HostRoutine, HostStep, StepResult} from '../host/host-program.js';
import {injectException} from './guest-registers.js';
import {handleCpuid} from './kvm-cpuid.js';
import {cannotEmulate} from './kvm-emulation-failure.js';
import {HALT_ROUTINES} from './kvm-halt.js';
import {INTERRUPT_ROUTINES} from './kvm-interrupts.js';
import {IRQCHIP_ROUTINES} from './kvm-irqchip.js';
import {handleRdmsr, handleWrmsr, handleXsetbv} from './kvm-msrs.js';
import {COMPLETE} from './kvm-vcpu.js';

const SKIP = 'skip_emulated_instruction';
const GP = 13;
/** −KVM_ENOSYS: a hypercall number that KVM does not know. */
const ENOSYS = BigInt.asUintN(64, -1000n);
/** −KVM_EPERM. */
const EPERM = BigInt.asUintN(64, -1n);

function tripleFault(host: Host): StepResult {
  host.vcpu.exitReason = KVM_EXIT.SHUTDOWN;
  host.handled('user-space', 'a virtual machine that has shut down is for user space to reset: KVM_EXIT_SHUTDOWN');
  return {say: 'the guest’s processor has shut down', go: 'kvm_arch_vcpu_ioctl_run+1'};
}

function nothingToDo(why: string): HostStep<Host> {
  return host => {
    host.handled('kvm', why);
    return {say: `${host.hardware.exit().title}: ${why}`, go: SKIP};
  };
}

function inject(vector: number, why: string): HostStep<Host> {
  return host => {
    injectException(host, vector, vector === GP ? 0 : undefined);
    host.handled('kvm', why);
    return {say: `${host.hardware.exit().title}: ${why}`, go: 'vcpu_enter_guest'};
  };
}

function readTimeStamp(host: Host): StepResult {
  const value = host.hardware.get('TSC');
  host.vcpu.setRegister('RAX', value & 0xffff_ffffn);
  host.vcpu.setRegister('RDX', value >> 32n);
  host.handled('kvm', 'KVM reads the time-stamp counter for the guest');
  return {say: `RDTSC: EDX:EAX ← ${hex(value)}`, go: SKIP};
}

/** INVLPG. */
export function invalidatePage(host: Host, linear: bigint): StepResult {
  const how = host.mmu.guestInvalidated(linear);
  host.handled('kvm', 'KVM forgets the guest’s cached translations');
  return {say: `INVLPG of ${hex(linear)}: ${how}`, go: SKIP};
}

/**
 * The arguments are in RBX, RCX, RDX and RSI. None of KVM's own calls is known; the console's is for user space, where the
 * devices are: KVM only carries it there. Linux, arch/x86/kvm/x86.c: kvm_emulate_hypercall.
 */
function hypercall(host: Host): StepResult {
  const number = host.vcpu.register('RAX');
  if (number === CONSOLE_WRITE) return passHypercallOn(host, number);
  host.vcpu.setRegister('RAX', ENOSYS);
  host.handled('kvm', `hypercall ${number} is none that this KVM knows: RAX ← −KVM_ENOSYS`);
  return {say: `${host.hardware.exit().title} with RAX = ${hex(number)}: an unknown hypercall, RAX ← −1000`, go: SKIP};
}

function passHypercallOn(host: Host, number: bigint): StepResult {
  if (host.hardware.get('CPL') !== 0n) {
    host.vcpu.setRegister('RAX', EPERM);
    host.handled('kvm', 'a hypercall is for the guest’s kernel, not for its programs: RAX ← −KVM_EPERM');
    return {say: `hypercall ${hex(number)} from CPL ${host.hardware.get('CPL')}: RAX ← −1`, go: SKIP};
  }
  const args = (['RBX', 'RCX', 'RDX', 'RSI'] as const).map(name => host.vcpu.register(name));
  host.vcpu.hypercall = {number, args};
  host.vcpu.exitReason = KVM_EXIT.HYPERCALL;
  host.vcpu.set('complete_userspace_io', COMPLETE.hypercall);
  host.handled('user-space', 'the console is a device, and devices are user space’s: KVM_EXIT_HYPERCALL');
  return {
    say: `hypercall ${hex(number)}: write ${args[1]} bytes at GPA ${hex(args[0] ?? 0n)} to the console`,
    go: 'kvm_arch_vcpu_ioctl_run+1',
  };
}

/** User space has put the result into kvm_run (Linux, complete_hypercall_exit). */
export function completeHypercall(host: Host): StepResult {
  const result = host.vcpu.hypercallResult;
  host.vcpu.setRegister('RAX', result);
  const {from, to} = host.hardware.skipInstruction();
  return {
    say: `complete_hypercall_exit: RAX ← ${BigInt.asIntN(64, result)}; guest RIP ${hex(from)} → ${hex(to)}`,
    go: 'vcpu_enter_guest',
  };
}

const kernel = (name: string, ...steps: readonly HostStep<Host>[]): HostRoutine<Host> => ({
  name,
  actor: 'hypervisor',
  steps,
});

export const HANDLER_ROUTINES: readonly HostRoutine<Host>[] = [
  kernel('handle_triple_fault', tripleFault),
  kernel('kvm_emulate_cpuid', handleCpuid),
  kernel('kvm_emulate_invd', nothingToDo('the caches are not the guest’s to throw away')),
  kernel('kvm_emulate_rdpmc', inject(GP, 'the guest has no performance counters: #GP(0)')),
  kernel('handle_rdtsc', readTimeStamp),
  kernel('kvm_emulate_hypercall', hypercall),
  kernel('kvm_emulate_rdmsr', handleRdmsr),
  kernel('kvm_emulate_wrmsr', handleWrmsr),
  kernel('kvm_emulate_mwait', nothingToDo('treated as a NOP, as KVM does')),
  kernel('handle_pause', nothingToDo('the guest is waiting for something; another vCPU could run now')),
  kernel('kvm_emulate_wbinvd', nothingToDo('the caches of the simulated machine hide nothing')),
  kernel('kvm_emulate_xsetbv', handleXsetbv),
  kernel('kvm_unexpected_exit', host =>
    cannotEmulate(host, `this hypervisor has no handler for exit reason ${host.hardware.exit().reason}`),
  ),
  ...HALT_ROUTINES,
  ...INTERRUPT_ROUTINES,
  ...EMULATE_ROUTINES,
  ...IRQCHIP_ROUTINES,
];
