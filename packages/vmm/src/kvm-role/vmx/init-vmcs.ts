// The first VMWRITEs: controls, bitmaps, the EPT pointer, and the host state that every VM exit will load.
// Linux, arch/x86/kvm/vmx/vmx.c: init_vmcs, vmx_set_constant_host_state.

import {hex, hpa} from '@hyperscope/base';
import type {PhysicalMemory} from '@hyperscope/machine';
import {controlWords} from './controls.js';
import {HOST_CR0, HOST_CR4, HOST_EFER} from '../../host/host-environment.js';
import {
  DIRECT_MAP,
  HOST_GDT,
  HOST_IDT,
  HOST_PAGE_TABLES,
  HOST_TR,
  HOST_TSS,
  IO_BITMAP_A,
  IO_BITMAP_B,
  KERNEL_CS,
  KERNEL_SS,
  KERNEL_STACK,
  MSR_BITMAPS,
} from '../../host/host-layout.js';
import type {StepResult} from '../../host/host-program.js';
import {setUpTprShadow} from './tpr-shadow.js';
import type {VmxHardware} from './vmx-hardware.js';

const CR4_VMXE = 1n << 13n;
const ALL_ONES = 0xffff_ffff_ffff_ffffn;
const VPID = 1n;

function writeControls(hardware: VmxHardware): StepResult {
  const {vmx, options, mmu} = hardware;
  const words = controlWords(options);
  vmx.vmwrite('PIN_BASED_VM_EXECUTION_CONTROLS', words.pin);
  vmx.vmwrite('PRIMARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS', words.primary);
  // A field that the processor does not have cannot be written (VMfailValid, error 12).
  if (options.secondary.length > 0) vmx.vmwrite('SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS', words.secondary);
  vmx.vmwrite('VM_EXIT_CONTROLS', words.exit);
  vmx.vmwrite('VM_ENTRY_CONTROLS', words.entry);
  vmx.vmwrite(
    'EXCEPTION_BITMAP',
    options.exceptions.reduce((bitmap, vector) => bitmap | (1n << BigInt(vector)), 0n),
  );
  if (mmu === 'nested') vmx.vmwrite('VPID', VPID);
  setUpTprShadow(hardware);
  vmx.vmwrite('VMCS_LINK_POINTER', ALL_ONES);
  vmx.vmwrite('CR0_GUEST_HOST_MASK', 0xffff_ffff_ffff_ffffn & ~options.cr0GuestOwned);
  vmx.vmwrite('CR4_GUEST_HOST_MASK', 0xffff_ffff_ffff_ffffn & ~options.cr4GuestOwned);
  const secondary =
    options.secondary.length === 0 ? '' : `, secondary ${hex(words.secondary)} (${options.secondary.join(', ')})`;
  return {
    say: `VMWRITE the controls: pin ${hex(words.pin)}, primary ${hex(words.primary)} (${options.primary.join(', ')})${secondary}`,
  };
}

function writeBitmaps({host, vmx, options}: VmxHardware): StepResult {
  const {memory} = host.machine;
  const ones = new Uint8Array(0x1000).fill(0xff);
  memory.load(hpa(IO_BITMAP_A), ones);
  memory.load(hpa(IO_BITMAP_B), ones);
  memory.load(hpa(MSR_BITMAPS), ones);
  for (const msr of options.passedThroughMsrs) passThrough(memory, msr);
  vmx.vmwrite('IO_BITMAP_A_ADDRESS', BigInt(IO_BITMAP_A));
  vmx.vmwrite('IO_BITMAP_B_ADDRESS', BigInt(IO_BITMAP_B));
  if (!options.primary.includes('use MSR bitmaps'))
    return {say: 'I/O bitmaps all ones (every port exits); without MSR bitmaps every RDMSR and WRMSR exits'};
  vmx.vmwrite('MSR_BITMAP_ADDRESS', BigInt(MSR_BITMAPS));
  return {
    say: `I/O bitmaps all ones (every port exits), MSR bitmaps all ones but for ${options.passedThroughMsrs.length} MSRs that the guest may use directly`,
  };
}

function passThrough(memory: PhysicalMemory, msr: number): void {
  const high = msr >= 0xc000_0000;
  const bit = high ? msr - 0xc000_0000 : msr;
  for (const area of [0, 0x800]) {
    const at = hpa(MSR_BITMAPS + area + (high ? 0x400 : 0) + (bit >> 3));
    memory.write(at, 1, memory.read(at, 1) & ~(1n << BigInt(bit & 7)));
  }
}

function writeEptPointer(hardware: VmxHardware): StepResult {
  const root = hardware.host.mmu.create();
  if (root === undefined)
    return {say: 'no EPT pointer: the guest’s CR3 field will hold the root of KVM’s shadow page tables'};
  const pointer = hardware.eptPointer(root);
  hardware.loadMmuRoot(root);
  return {say: `VMWRITE EPT_POINTER ${hex(pointer)}: four levels, write-back; its root page is empty`};
}

function writeHostState({host, vmx, options}: VmxHardware): StepResult {
  const exitAddress = host.addressOf('vmx_vmexit');
  vmx.vmwrite('HOST_CR0', HOST_CR0);
  vmx.vmwrite('HOST_CR3', BigInt(HOST_PAGE_TABLES));
  vmx.vmwrite('HOST_CR4', HOST_CR4 | CR4_VMXE);
  vmx.vmwrite('HOST_CS_SELECTOR', BigInt(KERNEL_CS));
  for (const name of ['SS', 'DS', 'ES'] as const)
    vmx.vmwrite(`HOST_${name}_SELECTOR`, name === 'SS' ? BigInt(KERNEL_SS) : 0n);
  vmx.vmwrite('HOST_FS_SELECTOR', 0n);
  vmx.vmwrite('HOST_GS_SELECTOR', 0n);
  vmx.vmwrite('HOST_TR_SELECTOR', BigInt(HOST_TR));
  vmx.vmwrite('HOST_TR_BASE', DIRECT_MAP + BigInt(HOST_TSS));
  vmx.vmwrite('HOST_GDTR_BASE', DIRECT_MAP + BigInt(HOST_GDT));
  vmx.vmwrite('HOST_IDTR_BASE', DIRECT_MAP + BigInt(HOST_IDT));
  if (options.exit.includes('load IA32_EFER')) vmx.vmwrite('HOST_IA32_EFER', HOST_EFER);
  if (options.exit.includes('load IA32_PAT')) vmx.vmwrite('HOST_IA32_PAT', host.machine.registers.get('PAT'));
  vmx.vmwrite('HOST_RSP', KERNEL_STACK);
  vmx.vmwrite('HOST_RIP', exitAddress);
  return {
    say: `VMWRITE the host state: every VM exit will load CR3 ${hex(HOST_PAGE_TABLES)}, CS ${hex(KERNEL_CS)} and go to RIP ${hex(exitAddress)} (vmx_vmexit)`,
    go: 'kvm_vm_ioctl_create_vcpu',
  };
}

export const initVmcsSteps = [writeControls, writeBitmaps, writeEptPointer, writeHostState] as const;
