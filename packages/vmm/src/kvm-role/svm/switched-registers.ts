// What neither VMRUN nor VMLOAD switches, so that KVM has to. Linux, arch/x86/kvm/svm/svm.c: svm_prepare_switch_to_guest;
// arch/x86/kvm/x86.c: kvm_load_guest_xsave_state.

import type {Cell} from '@hyperscope/isa';
import type {VcpuSlot} from '../kvm-vcpu.js';
import type {SvmHardware} from './svm-hardware.js';

/** With the host's and the guest's place for each. */
const SWITCHED: readonly (readonly [Cell, VcpuSlot, VcpuSlot])[] = [
  ['TSC_AUX', 'host_tsc_aux', 'tsc_aux'],
  ['XCR0', 'host_xcr0', 'xcr0'],
];
/** Breakpoints the guest has enabled in its DR7, which VMRUN loads; their addresses are software's to load. */
const BREAKPOINTS: readonly (readonly [Cell, VcpuSlot])[] = [
  ['DR0', 'dr0'],
  ['DR1', 'dr1'],
  ['DR2', 'dr2'],
  ['DR3', 'dr3'],
];
const ENABLED = 0xffn;

export function switchToGuest({host, vmcb}: SvmHardware): void {
  const {registers} = host.machine;
  for (const [cell, ours, guests] of SWITCHED) {
    host.vcpu.set(ours, registers.get(cell));
    registers.set(cell, host.vcpu.get(guests));
  }
  if ((vmcb.get('DR7') & ENABLED) === 0n) return;
  for (const [cell, guests] of BREAKPOINTS) registers.set(cell, host.vcpu.get(guests));
}

/** The guest changes TSC_AUX and XCR0 only with KVM's help, so there is nothing to take back from the processor. */
export function switchToHost({host}: SvmHardware): void {
  for (const [cell, ours] of SWITCHED) host.machine.registers.set(cell, host.vcpu.get(ours));
}
