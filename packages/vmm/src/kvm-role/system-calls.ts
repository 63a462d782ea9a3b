// The boundary between QEMU and KVM: SYSCALL into the kernel with the ioctl's number in RSI, SYSRET back with its result
// in RAX. SDM vol. 2, "SYSCALL—Fast System Call", "SYSRET—Return From Fast System Call".

import {enterKernelMode, enterUserMode} from '../host/host-environment.js';
import type {Host} from './host-context.js';
import {KERNEL_STACK} from '../host/host-layout.js';

/** The ioctls that QEMU uses, with their numbers (Linux, include/uapi/linux/kvm.h). */
const IOCTLS = {
  KVM_CREATE_VM: 0xae01,
  KVM_CREATE_VCPU: 0xae41,
  KVM_SET_USER_MEMORY_REGION: 0x4020_ae46,
  KVM_REGISTER_COALESCED_MMIO: 0x4010_ae67,
  KVM_SET_CPUID2: 0x4008_ae90,
  KVM_SET_SREGS: 0x4138_ae84,
  KVM_SET_REGS: 0x4090_ae82,
  KVM_CREATE_IRQCHIP: 0xae60,
  KVM_CREATE_PIT2: 0x4040_ae77,
  KVM_IRQ_LINE: 0x4008_ae61,
  KVM_INTERRUPT: 0x4004_ae86,
  KVM_SET_GUEST_DEBUG: 0x4048_ae9b,
  KVM_RUN: 0xae80,
} as const;
export type Ioctl = keyof typeof IOCTLS;

const IOCTL_SYSTEM_CALL = 16n;

/** SYSCALL with RAX = 16 (ioctl), RSI = request. RIP goes to LSTAR; RCX keeps where to come back to. */
export function callKernel(host: Host, ioctl: Ioctl, returnTo: bigint): void {
  const r = host.machine.registers;
  host.machine.processor.charge(host.machine.costModel.syscall.cycles);
  r.set('RAX', IOCTL_SYSTEM_CALL);
  r.set('RSI', BigInt(IOCTLS[ioctl]));
  r.set('RCX', returnTo);
  r.set('R11', r.get('RFLAGS'));
  r.set('RFLAGS', r.get('RFLAGS') & ~r.get('FMASK'));
  enterKernelMode(host.machine);
  r.set('RIP', r.get('LSTAR'));
  host.machine.emit({kind: 'ring', how: `SYSCALL (ioctl ${ioctl})`, from: 3, to: 0});
  host.tell({kind: 'ioctl', name: ioctl, direction: 'call', result: undefined});
}

/** What entry_SYSCALL_64 does first: keep the way back, take the kernel's stack. */
export function saveUserState(host: Host): void {
  const r = host.machine.registers;
  host.vcpu.set('user_rip', r.get('RCX'));
  host.vcpu.set('user_rflags', r.get('R11'));
  r.set('RSP', KERNEL_STACK);
}

/** SYSRET: RIP from RCX, RFLAGS from R11, ring 3. `result` is a text for the screen, `value` what RAX gives. */
export function returnToUser(host: Host, ioctl: Ioctl, value: bigint, result: string): void {
  const r = host.machine.registers;
  host.machine.processor.charge(host.machine.costModel.syscall.cycles);
  r.set('RAX', value);
  r.set('RCX', host.vcpu.get('user_rip'));
  r.set('R11', host.vcpu.get('user_rflags'));
  enterUserMode(host.machine);
  r.set('RFLAGS', r.get('R11'));
  r.set('RIP', r.get('RCX'));
  host.machine.emit({kind: 'ring', how: 'SYSRET', from: 0, to: 3});
  host.tell({kind: 'ioctl', name: ioctl, direction: 'return', result});
}

/** The ioctl that RSI asks for. */
export function requestedIoctl(host: Host): Ioctl | undefined {
  const request = Number(host.machine.registers.get('RSI'));
  for (const [name, number] of Object.entries(IOCTLS)) if (number === request && isIoctl(name)) return name;
  return undefined;
}

const isIoctl = (name: string): name is Ioctl => name in IOCTLS;
