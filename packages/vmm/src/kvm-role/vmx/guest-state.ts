// The guest's registers under VT-x with EPT and unrestricted guest: nearly all are what the guest believes them to be, in
// the VMCS or in kvm_vcpu. Linux, arch/x86/kvm/vmx/vmx.c: vmx_get_segment, vmx_get_rflags, vmx_set_cr0, vmx_set_cr4,
// vmx_set_efer.

import {bit} from '@hyperscope/base';
import {GENERAL_REGISTERS} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import type {VmxInstructions} from '@hyperscope/machine';
import {CR0_PG, EFER_LMA} from '../guest-registers.js';
import type {Host} from '../host-context.js';
import type {VmxOptions} from './controls.js';
import {IN_VCPU, IN_VMCS} from './vmcs-cells.js';

const STI_OR_MOV_SS = 3n;
const NMI_BLOCKING = 8n;
export const CR0_NE = 1n << 5n;
export const CR0_CD_NW = 3n << 29n;
export const CR4_VMXE = 1n << 13n;
/** SMEP, SMAP: without paging the processor would apply them to identity addresses. */
export const CR4_NEEDS_PAGING = 3n << 20n;
const ENTRY_IA32E = 1n << 9n;

export class VmxGuestState {
  readonly host: Host;
  readonly vmx: VmxInstructions;
  readonly options: VmxOptions;

  constructor(host: Host, vmx: VmxInstructions, options: VmxOptions) {
    this.host = host;
    this.vmx = vmx;
    this.options = options;
  }

  get(cell: Cell): bigint {
    const {vmx, host} = this;
    switch (cell) {
      case 'CR0':
      case 'CR4':
        return this.#believed(cell);
      case 'CPL':
        return (vmx.vmread('GUEST_SS_ACCESS_RIGHTS') >> 5n) & 3n;
      case 'INTERRUPT_SHADOW':
        return vmx.vmread('GUEST_INTERRUPTIBILITY_STATE') & STI_OR_MOV_SS;
      case 'NMI_BLOCKING':
        return (vmx.vmread('GUEST_INTERRUPTIBILITY_STATE') & NMI_BLOCKING) >> 3n;
      case 'TSC':
        return BigInt.asUintN(64, host.machine.registers.get('TSC') + vmx.vmread('TSC_OFFSET'));
      default:
        return this.#plain(cell);
    }
  }

  /** Host-owned bits of CR0 and CR4 are in the read shadow. */
  #believed(cell: 'CR0' | 'CR4'): bigint {
    const owned = cell === 'CR0' ? this.options.cr0GuestOwned : this.options.cr4GuestOwned;
    return (this.vmx.vmread(`GUEST_${cell}`) & owned) | (this.vmx.vmread(`${cell}_READ_SHADOW`) & ~owned);
  }

  #plain(cell: Cell): bigint {
    const field = IN_VMCS.get(cell);
    if (field !== undefined) return this.vmx.vmread(field);
    const slot = IN_VCPU.get(cell);
    if (slot !== undefined) return this.host.vcpu.get(slot);
    const general = GENERAL_REGISTERS.find(name => name === cell);
    return general === undefined ? 0n : this.host.vcpu.register(general);
  }

  set(cell: Cell, value: bigint): void {
    switch (cell) {
      case 'CR0':
        this.setCr0(value);
        return;
      case 'CR4':
        this.setCr4(value, bit(this.vmx.vmread('CR0_READ_SHADOW'), 31) ? 'paging' : 'no paging');
        return;
      case 'EFER':
        this.setEfer(value);
        return;
      case 'INTERRUPT_SHADOW':
        this.#setInterruptibility(STI_OR_MOV_SS, value);
        return;
      case 'NMI_BLOCKING':
        this.#setInterruptibility(NMI_BLOCKING, value << 3n);
        return;
      case 'TSC':
        this.vmx.vmwrite('TSC_OFFSET', BigInt.asUintN(64, value - this.host.machine.registers.get('TSC')));
        return;
      default:
        this.#setPlain(cell, value);
    }
  }

  #setInterruptibility(mask: bigint, value: bigint): void {
    const others = this.vmx.vmread('GUEST_INTERRUPTIBILITY_STATE') & ~mask;
    this.vmx.vmwrite('GUEST_INTERRUPTIBILITY_STATE', others | value);
  }

  #setPlain(cell: Cell, value: bigint): void {
    const field = IN_VMCS.get(cell);
    if (field !== undefined) {
      this.vmx.vmwrite(field, value);
      return;
    }
    const slot = IN_VCPU.get(cell);
    const general = GENERAL_REGISTERS.find(name => name === cell);
    if (slot !== undefined) this.host.vcpu.set(slot, value);
    else if (general !== undefined) this.host.vcpu.setRegister(general, value);
  }

  /** Long mode begins and ends with CR0.PG where EFER.LME is set; the entry controls must say the same as EFER.LMA. */
  protected setCr0(value: bigint): void {
    const efer = this.get('EFER');
    const paging = (value & CR0_PG) !== 0n;
    this.setEfer(bit(efer, 8) && paging ? efer | EFER_LMA : efer & ~EFER_LMA);
    this.vmx.vmwrite('CR0_READ_SHADOW', value);
    this.vmx.vmwrite('GUEST_CR0', (value & ~CR0_CD_NW) | CR0_NE);
    this.setCr4(this.get('CR4'), paging ? 'paging' : 'no paging');
  }

  protected setCr4(value: bigint, paging: 'paging' | 'no paging'): void {
    this.vmx.vmwrite('CR4_READ_SHADOW', value);
    this.vmx.vmwrite('GUEST_CR4', (paging === 'paging' ? value : value & ~CR4_NEEDS_PAGING) | CR4_VMXE);
  }

  protected setEfer(value: bigint): void {
    this.vmx.vmwrite('GUEST_IA32_EFER', value);
    this.setLongMode(value);
  }

  /** "IA-32e mode guest" must say what EFER.LMA says. */
  protected setLongMode(efer: bigint): void {
    const controls = this.vmx.vmread('VM_ENTRY_CONTROLS');
    const long = (efer & EFER_LMA) !== 0n;
    this.vmx.vmwrite('VM_ENTRY_CONTROLS', long ? controls | ENTRY_IA32E : controls & ~ENTRY_IA32E);
  }

  held(cell: 'CR0' | 'CR3' | 'CR4' | 'EFER'): bigint {
    return this.vmx.vmread(cell === 'EFER' ? 'GUEST_IA32_EFER' : `GUEST_${cell}`);
  }
}
