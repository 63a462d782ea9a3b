// The guest's CR0, CR4 and EFER in the VMCS: what the guest believes is in the read shadows, what the processor loads has
// the bits that non-root operation wants. Linux, arch/x86/kvm/vmx/vmx.c: vmx_set_cr0, vmx_set_cr4, vmx_set_efer,
// enter_lmode, exit_lmode.

import {bit} from '@hyperscope/base';
import {CR0_PG, EFER_LMA} from '../guest-registers.js';
import type {VmxHardware} from './vmx-hardware.js';

const CR0_NE = 1n << 5n;
const CR0_CD_NW = 3n << 29n;
const CR4_VMXE = 1n << 13n;
/** SMEP, SMAP: without paging the processor would apply them to identity addresses. */
const CR4_NEEDS_PAGING = 3n << 20n;
const ENTRY_IA32E = 1n << 9n;

/** Long mode begins and ends with CR0.PG where EFER.LME is set; the entry controls must say the same as EFER.LMA. */
export function setCr0(hardware: VmxHardware, value: bigint): void {
  const {vmx} = hardware;
  const efer = vmx.vmread('GUEST_IA32_EFER');
  const paging = (value & CR0_PG) !== 0n;
  setEfer(hardware, bit(efer, 8) && paging ? efer | EFER_LMA : efer & ~EFER_LMA);
  vmx.vmwrite('CR0_READ_SHADOW', value);
  vmx.vmwrite('GUEST_CR0', (value & ~CR0_CD_NW) | CR0_NE);
  setCr4(hardware, hardware.get('CR4'), paging ? 'paging' : 'no paging');
}

export function setCr4({vmx}: VmxHardware, value: bigint, paging: 'paging' | 'no paging'): void {
  vmx.vmwrite('CR4_READ_SHADOW', value);
  vmx.vmwrite('GUEST_CR4', (paging === 'paging' ? value : value & ~CR4_NEEDS_PAGING) | CR4_VMXE);
}

export function setEfer({vmx}: VmxHardware, value: bigint): void {
  vmx.vmwrite('GUEST_IA32_EFER', value);
  const controls = vmx.vmread('VM_ENTRY_CONTROLS');
  vmx.vmwrite('VM_ENTRY_CONTROLS', (value & EFER_LMA) !== 0n ? controls | ENTRY_IA32E : controls & ~ENTRY_IA32E);
}
