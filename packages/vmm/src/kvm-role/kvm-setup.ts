// KVM, from open("/dev/kvm") to a vCPU that could run: the VMXON life cycle, one step after the other.
// Routine names: Linux, arch/x86/kvm/vmx/vmx.c and virt/kvm/kvm_main.c.

import {hex, hpa} from '@hyperscope/base';
import {cpuidEntry, readVmxCapabilityMsr, VMX_CAPABILITIES} from '@hyperscope/machine';
import {KVM_RUN_PAGE, VMCS_REGION, VMXON_REGION} from '../host/host-layout.js';
import type {Host} from './host-context.js';
import type {HostRoutine, StepResult} from '../host/host-program.js';
import {returnToUser, requestedIoctl, saveUserState} from './system-calls.js';
import type {Ioctl} from './system-calls.js';

const VM_FD = 4n;
const VCPU_FD = 5n;
const CPUID_VMX = 5;
const CR4_VMXE = 1n << 13n;

const ENTRY: Readonly<Record<Ioctl, string>> = {
  KVM_CREATE_VM: 'kvm_dev_ioctl_create_vm',
  KVM_SET_USER_MEMORY_REGION: 'kvm_set_memory_region',
  KVM_CREATE_VCPU: 'vmx_vcpu_create',
  KVM_SET_CPUID2: 'kvm_vcpu_ioctl_set_cpuid2',
  KVM_SET_SREGS: 'kvm_arch_vcpu_ioctl_set_sregs',
  KVM_SET_REGS: 'kvm_arch_vcpu_ioctl_set_regs',
  KVM_CREATE_IRQCHIP: 'kvm_vm_ioctl_create_irqchip',
  KVM_CREATE_PIT2: 'kvm_create_pit',
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
    go: ENTRY[ioctl],
  };
}

function refuse(host: Host): StepResult {
  returnToUser(host, 'KVM_RUN', BigInt.asUintN(64, -22n), '−EINVAL');
  return {say: 'returns −EINVAL to user space', go: 'processor'};
}

/** VMX_CAPABILITIES where the profile has none of its own; the revision identifier is read as software does, from the MSR. */
function revision(host: Host): bigint {
  const basic = readVmxCapabilityMsr(host.machine.profile.vmx ?? VMX_CAPABILITIES, 0x480) ?? 0n;
  return basic & 0x7fff_ffffn;
}

function checkCpuid(host: Host): StepResult {
  const ecx = cpuidEntry(host.machine.profile, 1, 0)[2];
  const present = ((ecx >>> CPUID_VMX) & 1) === 1;
  if (!present) {
    host.finish({
      kind: 'error',
      message: `The processor profile ${host.machine.profile.id} has no VMX (CPUID.1:ECX[5] = 0). Choose a profile with VT-x, such as westmere.`,
    });
  }
  return {say: `CPUID.1:ECX[5] = ${present ? 1 : 0}: this processor ${present ? 'has' : 'does not have'} VMX`};
}

function checkFeatureControl(host: Host): StepResult {
  const value = host.machine.registers.get('FEATURE_CONTROL');
  return {say: `read IA32_FEATURE_CONTROL: ${hex(value)} – locked by the firmware, VMXON outside SMX allowed`};
}

function enableVmx(host: Host): StepResult {
  const r = host.machine.registers;
  const before = r.get('CR4');
  r.set('CR4', before | CR4_VMXE);
  host.machine.emit({kind: 'control-register', register: 'CR4', from: before, to: before | CR4_VMXE});
  return {say: `CR4.VMXE ← 1 (CR4 ${hex(before)} → ${hex(before | CR4_VMXE)}): without it VMXON is #UD`};
}

function enterVmxOperation(host: Host): StepResult {
  host.machine.memory.write(hpa(VMXON_REGION), 4, revision(host));
  const trouble = host.vmx.vmxon(VMXON_REGION);
  if (trouble !== undefined || host.vmx.outcome !== 'VMsucceed')
    host.finish({kind: 'error', message: `VMXON failed: ${host.vmx.outcome}`});
  return {
    say: `wrote the revision identifier ${hex(revision(host))} to ${hex(VMXON_REGION)} and executed VMXON: the processor is in VMX root operation`,
  };
}

function createdVm(host: Host): StepResult {
  returnToUser(host, 'KVM_CREATE_VM', VM_FD, `file descriptor ${VM_FD}`);
  return {say: 'a virtual machine exists; its file descriptor goes back to user space', go: 'processor'};
}

function setMemoryRegion(host: Host): StepResult {
  const text = host.slots.map(
    slot =>
      `GPA ${hex(slot.gpa)} … ${hex(slot.gpa + slot.bytes - 1)} at HPA ${hex(slot.host)}${slot.access === 'read-only' ? ' (read-only)' : ''}`,
  );
  return {say: `the guest’s memory: ${text.join('; ')}. Nothing is mapped in EPT yet: each page on its first touch.`};
}

function memoryRegionSet(host: Host): StepResult {
  returnToUser(host, 'KVM_SET_USER_MEMORY_REGION', 0n, '0');
  return {say: 'returns 0', go: 'processor'};
}

function allocateVmcs(host: Host): StepResult {
  host.machine.memory.write(hpa(VMCS_REGION), 4, revision(host));
  return {say: `alloc_vmcs: a page at HPA ${hex(VMCS_REGION)}, with the revision identifier in its first word`};
}

function clearVmcs(host: Host): StepResult {
  const outcome = host.vmx.vmclear(VMCS_REGION);
  return {say: `loaded_vmcs_init: VMCLEAR ${hex(VMCS_REGION)}: ${outcome}; its launch state is clear`};
}

function loadVmcs(host: Host): StepResult {
  const outcome = host.vmx.vmptrld(VMCS_REGION);
  return {
    say: `vmx_vcpu_load_vmcs: VMPTRLD ${hex(VMCS_REGION)}: ${outcome}; it is the current VMCS now`,
    go: 'init_vmcs',
  };
}

function createdVcpu(host: Host): StepResult {
  returnToUser(host, 'KVM_CREATE_VCPU', VCPU_FD, `file descriptor ${VCPU_FD}`);
  return {say: `a vCPU exists; kvm_run will be at HPA ${hex(KVM_RUN_PAGE)}, mapped by user space`, go: 'processor'};
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
    () => ({say: 'the first virtual machine: VMX has to be switched on', go: 'vmx_enable_virtualization_cpu'}),
    createdVm,
  ),
  kernel('vmx_enable_virtualization_cpu', checkCpuid, checkFeatureControl, enableVmx, host => ({
    ...enterVmxOperation(host),
    go: 'kvm_dev_ioctl_create_vm+1',
  })),
  kernel('kvm_set_memory_region', setMemoryRegion, memoryRegionSet),
  kernel('vmx_vcpu_create', allocateVmcs, clearVmcs, loadVmcs, createdVcpu),
];
