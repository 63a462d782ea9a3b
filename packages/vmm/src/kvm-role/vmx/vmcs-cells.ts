// Where VT-x leaves the guest's registers when it exits: in the VMCS, or, where the processor does not switch them, in
// kvm_vcpu. SDM vol. 3C, "Guest Register State", "VMX Controls That Do Not Switch".

import {DESCRIPTOR_REGISTERS} from '@hyperscope/isa';
import type {Cell, VmcsFieldName} from '@hyperscope/isa';
import type {VcpuSlot} from '../kvm-vcpu.js';

/** Cells that KVM reads with VMREAD; CR0 and CR4 need their read shadows as well. */
export const IN_VMCS: ReadonlyMap<Cell, VmcsFieldName> = new Map<Cell, VmcsFieldName>([
  ['RIP', 'GUEST_RIP'],
  ['RSP', 'GUEST_RSP'],
  ['RFLAGS', 'GUEST_RFLAGS'],
  ['CR3', 'GUEST_CR3'],
  ['EFER', 'GUEST_IA32_EFER'],
  ['DR7', 'GUEST_DR7'],
  ['PAT', 'GUEST_IA32_PAT'],
  ['SYSENTER_CS', 'GUEST_IA32_SYSENTER_CS'],
  ['SYSENTER_ESP', 'GUEST_IA32_SYSENTER_ESP'],
  ['SYSENTER_EIP', 'GUEST_IA32_SYSENTER_EIP'],
  ['DEBUGCTL', 'GUEST_IA32_DEBUGCTL'],
  ['ACTIVITY', 'GUEST_ACTIVITY_STATE'],
  ['GDTR.base', 'GUEST_GDTR_BASE'],
  ['GDTR.limit', 'GUEST_GDTR_LIMIT'],
  ['IDTR.base', 'GUEST_IDTR_BASE'],
  ['IDTR.limit', 'GUEST_IDTR_LIMIT'],
  ['PDPTE0', 'GUEST_PDPTE0'],
  ['PDPTE1', 'GUEST_PDPTE1'],
  ['PDPTE2', 'GUEST_PDPTE2'],
  ['PDPTE3', 'GUEST_PDPTE3'],
  ...DESCRIPTOR_REGISTERS.flatMap((name): [Cell, VmcsFieldName][] => [
    [`${name}.selector`, `GUEST_${name}_SELECTOR`],
    [`${name}.base`, `GUEST_${name}_BASE`],
    [`${name}.limit`, `GUEST_${name}_LIMIT`],
    [`${name}.attributes`, `GUEST_${name}_ACCESS_RIGHTS`],
  ]),
]);

/** Cells that the processor does not switch. */
export const IN_VCPU: ReadonlyMap<Cell, VcpuSlot> = new Map<Cell, VcpuSlot>([
  ['CR2', 'cr2'],
  ['CR8', 'cr8'],
  ['XCR0', 'xcr0'],
  ['STAR', 'star'],
  ['LSTAR', 'lstar'],
  ['CSTAR', 'cstar'],
  ['FMASK', 'fmask'],
  ['KERNEL_GS_BASE', 'kernel_gs_base'],
  ['TSC_AUX', 'tsc_aux'],
  ['DR0', 'dr0'],
  ['DR1', 'dr1'],
  ['DR2', 'dr2'],
  ['DR3', 'dr3'],
  ['DR6', 'dr6'],
  ['APIC_BASE', 'apic_base'],
  ['MISC_ENABLE', 'misc_enable'],
]);

/** Kept by KVM even while the guest runs: MOV DR exits, and CR8 does or is a byte of KVM's (tpr-shadow.ts). */
export const ALWAYS_IN_VCPU: ReadonlySet<Cell> = new Set<Cell>([
  'CR8',
  'DR0',
  'DR1',
  'DR2',
  'DR3',
  'DR6',
  'APIC_BASE',
  'MISC_ENABLE',
]);
