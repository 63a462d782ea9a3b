// The guest's registers as the guest itself would find them, wherever they lie at the moment: in the processor while it
// runs; in the VMCS and in kvm_vcpu while the host does. For whoever looks on; a hypervisor reads with VMREAD.

import {CELLS, DESCRIPTOR_REGISTERS, GENERAL_REGISTERS} from '@hyperscope/isa';
import type {Cell, VmcsFieldName} from '@hyperscope/isa';
import {NO_POINTER, Vmcs} from '@hyperscope/machine';
import type {PhysicalMemory} from '@hyperscope/machine';
import {KvmVcpu} from './kvm-vcpu.js';
import type {VcpuSlot} from './kvm-vcpu.js';

const ROOT = 1n;
const NON_ROOT = 2n;

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

/** Kept by KVM even while the guest runs: MOV DR and CR8 accesses exit. */
const ALWAYS_IN_VCPU: ReadonlySet<Cell> = new Set<Cell>([
  'CR8',
  'DR0',
  'DR1',
  'DR2',
  'DR3',
  'DR6',
  'APIC_BASE',
  'MISC_ENABLE',
]);
const PROCESSORS_OWN: ReadonlySet<Cell> = new Set<Cell>([
  'VMX_OPERATION',
  'VMXON_POINTER',
  'CURRENT_VMCS',
  'FEATURE_CONTROL',
]);

export type CellReader = (cell: Cell) => bigint;

/**
 * Reads the guest's cells. `cells` reads the processor's, `memory` is the host's; both may come from a record. Before
 * there is a VMCS with a guest in it, the processor's own cells are all there is.
 */
export function guestCells(cells: CellReader, memory: PhysicalMemory): CellReader {
  const operation = cells('VMX_OPERATION');
  const pointer = cells('CURRENT_VMCS');
  if ((operation !== ROOT && operation !== NON_ROOT) || pointer === NO_POINTER) return cells;
  const vmcs = new Vmcs(memory, Number(pointer));
  const vcpu = new KvmVcpu(memory);
  const register = (cell: 'CR0' | 'CR4'): bigint => {
    const real = operation === NON_ROOT ? cells(cell) : vmcs.get(`GUEST_${cell}`);
    const mask = vmcs.get(`${cell}_GUEST_HOST_MASK`);
    return (real & ~mask) | (vmcs.get(`${cell}_READ_SHADOW`) & mask);
  };
  return cell => {
    if (cell === 'CR0' || cell === 'CR4') return register(cell);
    const slot = IN_VCPU.get(cell);
    if (slot !== undefined && (operation === ROOT || ALWAYS_IN_VCPU.has(cell))) return vcpu.get(slot);
    if (operation === NON_ROOT) return cells(cell);
    return rootCell(cell, cells, vmcs, vcpu);
  };
}

function rootCell(cell: Cell, cells: CellReader, vmcs: Vmcs, vcpu: KvmVcpu): bigint {
  const field = IN_VMCS.get(cell);
  if (field !== undefined) return vmcs.get(field);
  for (const name of GENERAL_REGISTERS) if (name === cell) return vcpu.register(name);
  switch (cell) {
    case 'CPL':
      return (vmcs.get('GUEST_SS_ACCESS_RIGHTS') >> 5n) & 3n;
    case 'INTERRUPT_SHADOW':
      return vmcs.get('GUEST_INTERRUPTIBILITY_STATE') & 3n;
    case 'NMI_BLOCKING':
      return (vmcs.get('GUEST_INTERRUPTIBILITY_STATE') >> 3n) & 1n;
    default:
      return cells(cell);
  }
}

/** The cells that belong to a guest, in the order of the register bank. */
export const GUEST_CELLS: readonly Cell[] = CELLS.filter(cell => !PROCESSORS_OWN.has(cell));
