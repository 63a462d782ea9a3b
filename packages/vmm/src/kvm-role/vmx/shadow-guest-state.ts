// The guest's registers under VT-x without EPT and without unrestricted guest. The processor always runs with protection and
// paging on and with KVM's tables in CR3, so what the guest believes lies in kvm_vcpu; a guest in real mode runs in
// virtual-8086 mode. Linux, arch/x86/kvm/vmx/vmx.c: vmx_set_cr0, vmx_set_cr4, vmx_get_rflags, vmx_set_rflags, vmx_get_cpl.

import type {Cell} from '@hyperscope/isa';
import {CR0_PE, CR0_PG} from '../guest-registers.js';
import type {KvmVcpu, VcpuSlot} from '../kvm-vcpu.js';
import {CR0_CD_NW, CR0_NE, CR4_NEEDS_PAGING, CR4_VMXE, VmxGuestState} from './guest-state.js';
import {RealMode, RMODE_FLAGS, segmentPartOf} from './real-mode.js';

const CR0_WP = 1n << 16n;
const CR0_ALWAYS_ON = CR0_PE | CR0_PG | CR0_NE | CR0_WP;
const CR4_VME = 1n;
const CR4_PAE = 1n << 5n;

/** Registers of which the processor holds KVM's value, or which it does not switch without the controls of later years. */
const BELIEVED: ReadonlyMap<Cell, VcpuSlot> = new Map<Cell, VcpuSlot>([
  ['CR0', 'guest_cr0'],
  ['CR3', 'guest_cr3'],
  ['CR4', 'guest_cr4'],
  ['EFER', 'guest_efer'],
  ['PAT', 'guest_pat'],
  ['PDPTE0', 'guest_pdpte0'],
  ['PDPTE1', 'guest_pdpte1'],
  ['PDPTE2', 'guest_pdpte2'],
  ['PDPTE3', 'guest_pdpte3'],
]);

/** Where the guest's value is kept aside; undefined where it is the processor's own. */
export function believedSlot(vcpu: KvmVcpu, cell: Cell): VcpuSlot | undefined {
  if (cell === 'NMI_BLOCKING') return vcpu.get('soft_vnmi') === 1n ? 'nmi_masked' : undefined;
  return BELIEVED.get(cell);
}

export class ShadowGuestState extends VmxGuestState {
  readonly realMode = new RealMode(this.host, this.vmx);

  override get(cell: Cell): bigint {
    const slot = believedSlot(this.host.vcpu, cell);
    if (slot !== undefined) return this.host.vcpu.get(slot);
    if (!this.realMode.isActive) return super.get(cell);
    if (cell === 'CPL') return 0n;
    if (cell === 'RFLAGS') {
      const kept = this.host.vcpu.get('rmode_rflags') & RMODE_FLAGS;
      return (super.get('RFLAGS') & ~RMODE_FLAGS) | kept;
    }
    const part = segmentPartOf(cell);
    return part === undefined ? super.get(cell) : this.realMode.segmentPart(part);
  }

  override set(cell: Cell, value: bigint): void {
    const part = segmentPartOf(cell);
    if (part !== undefined || cell === 'RFLAGS') this.host.vcpu.set('check_guest_state', 1n);
    if (part !== undefined && this.realMode.isActive) return this.realMode.setSegmentPart(part, value);
    if (cell === 'RFLAGS' && this.realMode.isActive) {
      this.host.vcpu.set('rmode_rflags', value);
      return super.set('RFLAGS', value | RMODE_FLAGS);
    }
    const slot = believedSlot(this.host.vcpu, cell);
    if (slot === undefined || cell === 'CR0' || cell === 'CR4' || cell === 'EFER') return super.set(cell, value);
    this.host.vcpu.set(slot, value);
  }

  protected override setCr0(value: bigint): void {
    const {vcpu} = this.host;
    const isProtected = (value & CR0_PE) !== 0n;
    if (isProtected && this.realMode.isActive) this.realMode.leave();
    else if (!isProtected && !this.realMode.isActive) this.realMode.enter();
    vcpu.set('guest_cr0', value);
    vcpu.set('check_guest_state', 1n);
    super.setCr0(value);
    this.vmx.vmwrite('GUEST_CR0', (value & ~CR0_CD_NW) | CR0_ALWAYS_ON);
  }

  /** PAE is KVM's, and VME while the guest is in real mode: the interrupt redirection bitmap needs it. */
  protected override setCr4(value: bigint, paging: 'paging' | 'no paging'): void {
    this.host.vcpu.set('guest_cr4', value);
    const vme = this.realMode.isActive ? CR4_VME : 0n;
    const kept = paging === 'paging' ? value : value & ~CR4_NEEDS_PAGING;
    this.vmx.vmwrite('CR4_READ_SHADOW', value);
    this.vmx.vmwrite('GUEST_CR4', kept | CR4_VMXE | CR4_PAE | vme);
  }

  /** The processor of 2005 has no field for EFER: LMA and LME follow the entry control, SCE is switched by software. */
  protected override setEfer(value: bigint): void {
    this.host.vcpu.set('guest_efer', value);
    this.setLongMode(value);
  }

  override held(cell: 'CR0' | 'CR3' | 'CR4' | 'EFER'): bigint {
    return cell === 'EFER' ? this.get('EFER') : super.held(cell);
  }
}
