// The first VMWRITEs: controls, bitmaps, the EPT pointer, and the host state that every VM exit will load.
// Linux, arch/x86/kvm/vmx/vmx.c: init_vmcs, vmx_set_constant_host_state.

import {hex, hpa} from '@hyperscope/base';
import {controlWords} from './controls.js';
import {HOST_CR0, HOST_CR4, HOST_EFER} from '../../host/host-environment.js';
import {
  DIRECT_MAP,
  EPT_POOL,
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
import type {Host} from '../host-context.js';
import type {HostRoutine, StepResult} from '../../host/host-program.js';

const CR4_VMXE = 1n << 13n;
const ALL_ONES = 0xffff_ffff_ffff_ffffn;
const WRITE_BACK_4_LEVELS = 6n | (3n << 3n);
const ACCESSED_DIRTY = 1n << 6n;
const VPID = 1n;

function writeControls(host: Host): StepResult {
  const {vmx, options} = host;
  const words = controlWords(options);
  vmx.vmwrite('PIN_BASED_VM_EXECUTION_CONTROLS', words.pin);
  vmx.vmwrite('PRIMARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS', words.primary);
  vmx.vmwrite('SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS', words.secondary);
  vmx.vmwrite('VM_EXIT_CONTROLS', words.exit);
  vmx.vmwrite('VM_ENTRY_CONTROLS', words.entry);
  vmx.vmwrite(
    'EXCEPTION_BITMAP',
    options.exceptions.reduce((bitmap, vector) => bitmap | (1n << BigInt(vector)), 0n),
  );
  vmx.vmwrite('VPID', VPID);
  vmx.vmwrite('VMCS_LINK_POINTER', ALL_ONES);
  vmx.vmwrite('CR0_GUEST_HOST_MASK', 0xffff_ffff_ffff_ffffn & ~options.cr0GuestOwned);
  vmx.vmwrite('CR4_GUEST_HOST_MASK', 0xffff_ffff_ffff_ffffn & ~options.cr4GuestOwned);
  return {
    say: `VMWRITE the controls: pin ${hex(words.pin)}, primary ${hex(words.primary)} (${options.primary.join(', ')}), secondary ${hex(words.secondary)} (${options.secondary.join(', ')})`,
  };
}

function writeBitmaps(host: Host): StepResult {
  const {memory} = host.machine;
  const ones = new Uint8Array(0x1000).fill(0xff);
  memory.load(hpa(IO_BITMAP_A), ones);
  memory.load(hpa(IO_BITMAP_B), ones);
  memory.load(hpa(MSR_BITMAPS), ones);
  for (const msr of host.options.passedThroughMsrs) passThrough(host, msr);
  host.vmx.vmwrite('IO_BITMAP_A_ADDRESS', BigInt(IO_BITMAP_A));
  host.vmx.vmwrite('IO_BITMAP_B_ADDRESS', BigInt(IO_BITMAP_B));
  host.vmx.vmwrite('MSR_BITMAP_ADDRESS', BigInt(MSR_BITMAPS));
  return {
    say: `I/O bitmaps all ones (every port exits), MSR bitmaps all ones but for ${host.options.passedThroughMsrs.length} MSRs that the guest may use directly`,
  };
}

function passThrough(host: Host, msr: number): void {
  const high = msr >= 0xc000_0000;
  const bit = high ? msr - 0xc000_0000 : msr;
  for (const area of [0, 0x800]) {
    const at = hpa(MSR_BITMAPS + area + (high ? 0x400 : 0) + (bit >> 3));
    host.machine.memory.write(at, 1, host.machine.memory.read(at, 1) & ~(1n << BigInt(bit & 7)));
  }
}

function writeEptPointer(host: Host): StepResult {
  const pointer =
    BigInt(EPT_POOL) | WRITE_BACK_4_LEVELS | (host.options.accessedDirtyFlags === 'on' ? ACCESSED_DIRTY : 0n);
  host.vcpu.set('ept_pool', BigInt(EPT_POOL + 0x1000));
  host.vmx.vmwrite('EPT_POINTER', pointer);
  return {say: `VMWRITE EPT_POINTER ${hex(pointer)}: four levels, write-back; its root page is empty`};
}

function writeHostState(host: Host): StepResult {
  const {vmx} = host;
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
  vmx.vmwrite('HOST_IA32_EFER', HOST_EFER);
  vmx.vmwrite('HOST_IA32_PAT', host.machine.registers.get('PAT'));
  vmx.vmwrite('HOST_RSP', KERNEL_STACK);
  vmx.vmwrite('HOST_RIP', host.exitAddress);
  return {
    say: `VMWRITE the host state: every VM exit will load CR3 ${hex(HOST_PAGE_TABLES)}, CS ${hex(KERNEL_CS)} and go to RIP ${hex(host.exitAddress)} (vmx_vmexit)`,
    go: 'vmx_vcpu_create+3',
  };
}

export const INIT_VMCS_ROUTINES: readonly HostRoutine<Host>[] = [
  {name: 'init_vmcs', actor: 'hypervisor', steps: [writeControls, writeBitmaps, writeEptPointer, writeHostState]},
];
