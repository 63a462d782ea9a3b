// MSRs that VM entries and VM exits leave alone: KVM loads the guest's before the entry, and takes them back after the
// exit, because SWAPGS and passed-through WRMSR change some of them unseen. Linux, vmx_prepare_switch_to_guest.

import type {Cell} from '@hyperscope/isa';
import type {VcpuSlot} from '../kvm-vcpu.js';
import type {VmxHardware} from './vmx-hardware.js';

/** With the host's and the guest's place for each. */
const SWITCHED: readonly (readonly [Cell, VcpuSlot, VcpuSlot])[] = [
  ['STAR', 'host_star', 'star'],
  ['LSTAR', 'host_lstar', 'lstar'],
  ['CSTAR', 'host_cstar', 'cstar'],
  ['FMASK', 'host_fmask', 'fmask'],
  ['KERNEL_GS_BASE', 'host_kernel_gs_base', 'kernel_gs_base'],
  ['TSC_AUX', 'host_tsc_aux', 'tsc_aux'],
  ['XCR0', 'host_xcr0', 'xcr0'],
];

const EFER_SCE = 1n;

export function switchToGuest({host, mmu}: VmxHardware): void {
  const {registers} = host.machine;
  if (mmu === 'shadow') {
    // Of EFER, VM entry changes LMA and LME only; NXE stays 1, because the shadow tables may use it.
    const ours = registers.get('EFER');
    host.vcpu.set('host_efer', ours);
    registers.set('EFER', (ours & ~EFER_SCE) | (host.vcpu.get('guest_efer') & EFER_SCE));
  }
  for (const [cell, ours, guests] of SWITCHED) {
    host.vcpu.set(ours, registers.get(cell));
    registers.set(cell, host.vcpu.get(guests));
  }
}

export function switchToHost({host, mmu}: VmxHardware, guests: 'take the guest’s' | 'keep the guest’s'): void {
  const {registers} = host.machine;
  if (mmu === 'shadow') registers.set('EFER', host.vcpu.get('host_efer'));
  for (const [cell, ours, theirs] of SWITCHED) {
    if (guests === 'take the guest’s') host.vcpu.set(theirs, registers.get(cell));
    registers.set(cell, host.vcpu.get(ours));
  }
}
