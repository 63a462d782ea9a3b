// KVM, from open("/dev/kvm") to a vCPU that could run. What the processor has to be told is the vendor half's.
// Routine names: Linux, virt/kvm/kvm_main.c.

import {hex} from '@hyperscope/base';
import {KVM_RUN_PAGE, KVM_RUN_WINDOW} from '../host/host-layout.js';
import type {Host} from './host-context.js';
import {noteMemorySlots} from './memory-slots.js';
import type {HostRoutine, StepResult} from '../host/host-program.js';
import {returnToUser, requestedIoctl, saveUserState} from './system-calls.js';
import type {Ioctl} from './system-calls.js';

const VM_FD = 4n;
const VCPU_FD = 5n;

/** Without KVM_CREATE_VCPU, which begins in the vendor half. */
const ENTRY: Readonly<Record<Exclude<Ioctl, 'KVM_CREATE_VCPU'>, string>> = {
  KVM_CREATE_VM: 'kvm_dev_ioctl_create_vm',
  KVM_SET_USER_MEMORY_REGION: 'kvm_set_memory_region',
  KVM_REGISTER_COALESCED_MMIO: 'kvm_vm_ioctl_register_coalesced_mmio',
  KVM_SET_CPUID2: 'kvm_vcpu_ioctl_set_cpuid2',
  KVM_SET_SREGS: 'kvm_arch_vcpu_ioctl_set_sregs',
  KVM_SET_REGS: 'kvm_arch_vcpu_ioctl_set_regs',
  KVM_CREATE_IRQCHIP: 'kvm_vm_ioctl_create_irqchip',
  KVM_CREATE_PIT2: 'kvm_create_pit',
  KVM_SET_GUEST_DEBUG: 'kvm_arch_vcpu_ioctl_set_guest_debug',
  KVM_IRQ_LINE: 'kvm_vm_ioctl_irq_line',
  KVM_INTERRUPT: 'kvm_vcpu_ioctl_interrupt',
  KVM_RUN: 'kvm_arch_vcpu_ioctl_run',
};

function enterSystemCall(host: Host): StepResult {
  saveUserState(host);
  const ioctl = requestedIoctl(host);
  if (ioctl === undefined) return {say: 'an ioctl that this KVM does not know: −EINVAL', go: 'entry_SYSCALL_64+1'};
  return {
    say: `a system call from ring 3: ioctl(fd, ${ioctl}). The return address is kept, the kernel stack is taken.`,
    go: ioctl === 'KVM_CREATE_VCPU' ? host.hardware.entryPoints.createVcpu : ENTRY[ioctl],
  };
}

function refuse(host: Host): StepResult {
  returnToUser(host, 'KVM_RUN', BigInt.asUintN(64, -22n), '−EINVAL');
  return {say: 'returns −EINVAL to user space', go: 'processor'};
}

function createdVm(host: Host): StepResult {
  returnToUser(host, 'KVM_CREATE_VM', VM_FD, `file descriptor ${VM_FD}`);
  return {say: 'a virtual machine exists; its file descriptor goes back to user space', go: 'processor'};
}

/** What the hardware will walk. */
const TABLES = {VMX: 'EPT', SVM: 'nested page tables', shadow: 'shadow page tables'} as const;

function setMemoryRegion(host: Host): StepResult {
  noteMemorySlots(host.machine.memory, host.slots);
  const text = host.slots.map(
    slot =>
      `GPA ${hex(slot.gpa)} … ${hex(slot.gpa + slot.bytes - 1)} is QEMU’s memory from HVA ${hex(slot.hva)} on${slot.access === 'read-only' ? ' (read-only)' : ''}`,
  );
  return {
    say: `memory slots: ${text.join('; ')}. Which pages these are, only the host’s page tables know. Nothing is mapped in ${TABLES[host.mmu.kind === 'shadow' ? 'shadow' : host.hardware.name]} yet: each page on its first touch.`,
  };
}

function memoryRegionSet(host: Host): StepResult {
  returnToUser(host, 'KVM_SET_USER_MEMORY_REGION', 0n, '0');
  return {say: 'returns 0', go: 'processor'};
}

function registerCoalescedMmio(host: Host): StepResult {
  returnToUser(host, 'KVM_REGISTER_COALESCED_MMIO', 0n, '0');
  return {say: 'from now on KVM notes writes to these addresses in the third page of kvm_run', go: 'processor'};
}

/** KVM_CREATE_VCPU returns. */
export function giveVcpu(host: Host): StepResult {
  returnToUser(host, 'KVM_CREATE_VCPU', VCPU_FD, `file descriptor ${VCPU_FD}`);
  return {
    say: `a vCPU exists; user space maps its kvm_run: HVA ${hex(KVM_RUN_WINDOW)}, which is HPA ${hex(KVM_RUN_PAGE)}`,
    go: 'processor',
  };
}

function createdVcpu(host: Host): StepResult {
  return host.options.faults.has('no-registers')
    ? {say: 'a vCPU exists: until somebody sets its registers it is as after RESET', go: 'kvm_vcpu_reset'}
    : giveVcpu(host);
}

const kernel = (name: string, ...steps: HostRoutine<Host>['steps']): HostRoutine<Host> => ({
  name,
  actor: 'hypervisor',
  steps,
});

export const SETUP_ROUTINES: readonly HostRoutine<Host>[] = [
  kernel('entry_SYSCALL_64', enterSystemCall, refuse),
  kernel(
    'kvm_dev_ioctl_create_vm',
    host => ({
      say: `the first virtual machine: ${host.hardware.name} has to be switched on`,
      go: host.hardware.entryPoints.enable,
    }),
    createdVm,
  ),
  kernel('kvm_set_memory_region', setMemoryRegion, memoryRegionSet),
  kernel('kvm_vm_ioctl_register_coalesced_mmio', registerCoalescedMmio),
  kernel('kvm_vm_ioctl_create_vcpu', createdVcpu),
];
