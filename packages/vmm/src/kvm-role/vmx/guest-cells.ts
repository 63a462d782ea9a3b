// A VT-x guest's registers for whoever looks on: in the processor while the guest runs, in the VMCS and in kvm_vcpu while
// the host does. Reads memory, where a hypervisor must use VMREAD.

import {GENERAL_REGISTERS} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import {Vmcs} from '@hyperscope/machine';
import type {PhysicalMemory} from '@hyperscope/machine';
import type {CellReader} from '../guest-view.js';
import {KvmVcpu} from '../kvm-vcpu.js';
import {ALWAYS_IN_VCPU, IN_VCPU, IN_VMCS} from './vmcs-cells.js';

const NON_ROOT = 2n;

/** `pointer` is the address of the current VMCS. */
export function vmxGuestCells(cells: CellReader, memory: PhysicalMemory, pointer: bigint): CellReader {
  const operation = cells('VMX_OPERATION');
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
    if (slot !== undefined && (operation !== NON_ROOT || ALWAYS_IN_VCPU.has(cell))) return vcpu.get(slot);
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
