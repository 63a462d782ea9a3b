// SVM from "is it there?" to a VMCB that could be run. There is no VMXON, no region to prepare and no current VMCB: one bit of
// EFER, one page for the host's state, and a page of memory that any MOV may fill.
// Linux, arch/x86/kvm/svm/svm.c: svm_enable_virtualization_cpu, svm_vcpu_create, init_vmcb.

import {hex, hpa} from '@hyperscope/base';
import {cpuidEntry} from '@hyperscope/machine';
import {HOST_SAVE_AREA, IO_PERMISSION_MAP, MSR_PERMISSION_MAP, VMCB} from '../../host/host-layout.js';
import type {StepResult} from '../../host/host-program.js';
import type {SvmHardware} from './svm-hardware.js';
import {writeIntercepts} from './vmcb-controls.js';

const EXTENDED_FEATURES = 0x8000_0001;
const SVM_FEATURES = 0x8000_000a;
const CPUID_SVM = 2;
const SVMDIS = 1n << 4n;
const PAGE = 4096;
const IOPM_PAGES = 3;
const MSRPM_PAGES = 2;
const ASID = 1n;
const V_INTR_MASKING = 1n << 24n;
const NP_ENABLE = 1n;

function checkCpuid({host}: SvmHardware): StepResult {
  const {profile} = host.machine;
  const ecx = cpuidEntry(profile, EXTENDED_FEATURES, 0)[2];
  const present = ((ecx >>> CPUID_SVM) & 1) === 1;
  const asids = cpuidEntry(profile, SVM_FEATURES, 0)[1];
  if (!present)
    host.finish({
      kind: 'error',
      message: `The processor profile ${profile.id} has no SVM (CPUID.8000_0001h:ECX[2] = 0). Choose one that has, such as amd-svm.`,
    });
  return {
    say: `CPUID.8000_0001h:ECX[2] = ${present ? 1 : 0}: this processor ${present ? `has SVM, with ${asids} address-space identifiers` : 'does not have SVM'}`,
  };
}

function checkVmCr({host}: SvmHardware): StepResult {
  const value = host.machine.registers.get('VM_CR');
  const allowed = (value & SVMDIS) === 0n;
  return {say: `read VM_CR: ${hex(value)} – SVMDIS = ${allowed ? '0, the firmware allows EFER.SVME' : '1'}`};
}

function enableSvm({host, svm}: SvmHardware): StepResult {
  const before = host.machine.registers.get('EFER');
  if (svm.enable() !== undefined)
    host.finish({kind: 'error', message: 'EFER.SVME could not be set: VM_CR.SVMDIS is 1.'});
  const after = host.machine.registers.get('EFER');
  return {say: `EFER.SVME ← 1 (EFER ${hex(before)} → ${hex(after)}): without it VMRUN is #UD`};
}

function setHostSaveArea({host, svm}: SvmHardware): StepResult {
  if (svm.setHostSaveArea(HOST_SAVE_AREA) !== undefined)
    host.finish({kind: 'error', message: `WRMSR VM_HSAVE_PA ${hex(HOST_SAVE_AREA)} was refused.`});
  return {
    say: `WRMSR VM_HSAVE_PA ${hex(HOST_SAVE_AREA)}: the page where VMRUN leaves the host’s state`,
    go: 'kvm_dev_ioctl_create_vm+1',
  };
}

export const ENABLE_STEPS = [checkCpuid, checkVmCr, enableSvm, setHostSaveArea] as const;

function allocateVmcb(): StepResult {
  return {
    say: `a zeroed page at HPA ${hex(VMCB)} for the VMCB: its layout is published, so there is no identifier to write and nothing to load`,
    go: 'init_vmcb',
  };
}

export const CREATE_VCPU_STEPS = [allocateVmcb] as const;

function writeControls({vmcb, options, mmu}: SvmHardware): StepResult {
  writeIntercepts(vmcb, options, mmu);
  vmcb.set('GUEST_ASID', ASID);
  vmcb.set('VIRTUAL_INTERRUPT', V_INTR_MASKING);
  return {
    say: `VMCB: intercepts (${options.intercepts.join(', ')}; CR reads ${hex(vmcb.get('INTERCEPT_CR_READ'))}, writes ${hex(vmcb.get('INTERCEPT_CR_WRITE'))}), ASID ${ASID}, V_INTR_MASKING: the guest’s IF masks virtual interrupts only`,
  };
}

function writePermissionMaps({host, vmcb, options}: SvmHardware): StepResult {
  const {memory} = host.machine;
  memory.load(hpa(IO_PERMISSION_MAP), new Uint8Array(IOPM_PAGES * PAGE).fill(0xff));
  memory.load(hpa(MSR_PERMISSION_MAP), new Uint8Array(MSRPM_PAGES * PAGE).fill(0xff));
  for (const msr of options.passedThroughMsrs) passThrough(host.machine.memory, msr);
  vmcb.set('IOPM_BASE_PA', BigInt(IO_PERMISSION_MAP));
  vmcb.set('MSRPM_BASE_PA', BigInt(MSR_PERMISSION_MAP));
  return {
    say: `I/O permissions map all ones (every port exits), MSR permissions map all ones but for ${options.passedThroughMsrs.length} MSRs that the guest may use directly`,
  };
}

/** Two bits an MSR, read and write: 0–1FFFh at +0, C000_0000h–C000_1FFFh at +800h. */
function passThrough(memory: SvmHardware['host']['machine']['memory'], msr: number): void {
  const high = msr >= 0xc000_0000;
  const bit = (high ? msr - 0xc000_0000 : msr) * 2;
  const at = hpa(MSR_PERMISSION_MAP + (high ? 0x800 : 0) + (bit >> 3));
  memory.write(at, 1, memory.read(at, 1) & ~(3n << BigInt(bit & 7)));
}

function writeRoot(hardware: SvmHardware): StepResult {
  const {host, vmcb, mmu} = hardware;
  const go = 'kvm_vm_ioctl_create_vcpu';
  const root = host.mmu.create();
  if (mmu === 'shadow' || root === undefined)
    return {say: 'VMCB: NP_ENABLE stays 0: the guest’s CR3 will be that of shadow page tables', go};
  vmcb.set('NESTED_CONTROL', NP_ENABLE);
  hardware.loadMmuRoot(root);
  return {
    say: `VMCB: NP_ENABLE ← 1, nCR3 ${hex(root)}: four levels in the host’s own format; its root page is empty`,
    go,
  };
}

export const INIT_VMCB_STEPS = [writeControls, writePermissionMaps, writeRoot] as const;
