// VT-x from "is it there?" to a current VMCS: the VMXON life cycle, one step after the other.
// Linux, arch/x86/kvm/vmx/vmx.c: vmx_enable_virtualization_cpu, vmx_vcpu_create.

import {assertExists, hex, hpa} from '@hyperscope/base';
import {cpuidEntry, readVmxCapabilityMsr, VMX_CAPABILITIES} from '@hyperscope/machine';
import {VMCS_REGION, VMXON_REGION} from '../../host/host-layout.js';
import type {StepResult} from '../../host/host-program.js';
import type {Host} from '../host-context.js';
import {TSS_ADDRESS, writeRealModeTss} from './real-mode.js';
import type {VmxHardware} from './vmx-hardware.js';

const CPUID_VMX = 5;
const CR4_VMXE = 1n << 13n;

/** VMX_CAPABILITIES where the profile has none of its own; the revision identifier is read as software does, from the MSR. */
function revision(host: Host): bigint {
  const basic = readVmxCapabilityMsr(host.machine.profile.vmx ?? VMX_CAPABILITIES, 0x480) ?? 0n;
  return basic & 0x7fff_ffffn;
}

function checkCpuid({host}: VmxHardware): StepResult {
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

function checkFeatureControl({host}: VmxHardware): StepResult {
  const value = host.machine.registers.get('FEATURE_CONTROL');
  return {say: `read IA32_FEATURE_CONTROL: ${hex(value)} – locked by the firmware, VMXON outside SMX allowed`};
}

function enableVmx({host}: VmxHardware): StepResult {
  const r = host.machine.registers;
  const before = r.get('CR4');
  r.set('CR4', before | CR4_VMXE);
  host.machine.emit({kind: 'control-register', register: 'CR4', from: before, to: before | CR4_VMXE});
  return {say: `CR4.VMXE ← 1 (CR4 ${hex(before)} → ${hex(before | CR4_VMXE)}): without it VMXON is #UD`};
}

function enterVmxOperation({host, vmx}: VmxHardware): StepResult {
  host.machine.memory.write(hpa(VMXON_REGION), 4, revision(host));
  const trouble = vmx.vmxon(VMXON_REGION);
  if (trouble !== undefined || vmx.outcome !== 'VMsucceed')
    host.finish({kind: 'error', message: `VMXON failed: ${vmx.outcome}`});
  return {
    say: `wrote the revision identifier ${hex(revision(host))} to ${hex(VMXON_REGION)} and executed VMXON: the processor is in VMX root operation`,
    go: 'kvm_dev_ioctl_create_vm+1',
  };
}

export const ENABLE_STEPS = [checkCpuid, checkFeatureControl, enableVmx, enterVmxOperation] as const;

function allocateVmcs({host}: VmxHardware): StepResult {
  host.machine.memory.write(hpa(VMCS_REGION), 4, revision(host));
  return {say: `alloc_vmcs: a page at HPA ${hex(VMCS_REGION)}, with the revision identifier in its first word`};
}

function clearVmcs({vmx}: VmxHardware): StepResult {
  const outcome = vmx.vmclear(VMCS_REGION);
  return {say: `loaded_vmcs_init: VMCLEAR ${hex(VMCS_REGION)}: ${outcome}; its launch state is clear`};
}

function loadVmcs(hardware: VmxHardware): StepResult {
  const {vmx} = hardware;
  const outcome = vmx.vmptrld(VMCS_REGION);
  return {
    say: `vmx_vcpu_load_vmcs: VMPTRLD ${hex(VMCS_REGION)}: ${outcome}; it is the current VMCS now`,
    go: hardware.mmu === 'shadow' ? 'vmx_set_tss_addr' : 'init_vmcs',
  };
}

/** KVM's task-state segment for guests in real mode, in a memory slot that is KVM's own. */
function setTssAddress({host, hasVirtualNmis}: VmxHardware): StepResult {
  const at = assertExists(host.guestToHost(TSS_ADDRESS), 'a memory slot for the TSS of real mode');
  writeRealModeTss(host.machine.memory, at);
  host.vcpu.set('without_ept', 1n);
  host.vcpu.set('soft_vnmi', hasVirtualNmis ? 0n : 1n);
  return {
    say: `init_rmode_tss: at GPA ${hex(TSS_ADDRESS)}, in a memory slot of KVM’s own: for a guest in real mode, which will run in virtual-8086 mode; its maps refuse no port and send every INT n to the guest’s own vector table`,
    go: 'init_vmcs',
  };
}

export const SET_TSS_STEPS = [setTssAddress] as const;

export const CREATE_VCPU_STEPS = [allocateVmcs, clearVmcs, loadVmcs] as const;
