// A VT-x guest's registers for whoever looks on: in the processor while the guest runs, in the VMCS and in kvm_vcpu while
// the host does. Reads memory, where a hypervisor must use VMREAD.

import {GENERAL_REGISTERS} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import {Vmcs} from '@hyperscope/machine';
import type {PhysicalMemory} from '@hyperscope/machine';
import type {CellReader} from '../guest-view.js';
import {KvmVcpu} from '../kvm-vcpu.js';
import {RMODE_FLAGS, changedByLoad, savedSegmentPart, segmentPartOf} from './real-mode.js';
import type {SegmentPart} from './real-mode.js';
import {believedSlot} from './shadow-guest-state.js';
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
  if (vcpu.get('without_ept') !== 0n) return shadowGuestCells(cells, memory, vmcs);
  return cell => {
    if (cell === 'CR0' || cell === 'CR4') return register(cell);
    const slot = IN_VCPU.get(cell);
    if (slot !== undefined && (operation !== NON_ROOT || ALWAYS_IN_VCPU.has(cell))) return vcpu.get(slot);
    if (operation === NON_ROOT) return cells(cell);
    return rootCell(cell, cells, vmcs, vcpu);
  };
}

/** Without EPT the processor holds KVM's control registers, and without unrestricted guest its segments in real mode. */
function shadowGuestCells(cells: CellReader, memory: PhysicalMemory, vmcs: Vmcs): CellReader {
  const vcpu = new KvmVcpu(memory);
  const isGuest = cells('VMX_OPERATION') === NON_ROOT;
  const isReal = vcpu.get('rmode_active') === 1n;
  const real = (cell: Cell): bigint => {
    const slot = IN_VCPU.get(cell);
    if (slot !== undefined && (!isGuest || ALWAYS_IN_VCPU.has(cell))) return vcpu.get(slot);
    return isGuest ? cells(cell) : rootCell(cell, cells, vmcs, vcpu);
  };
  return cell => {
    const believed = believedSlot(vcpu, cell);
    if (believed !== undefined) return vcpu.get(believed);
    if (!isReal) return real(cell);
    if (cell === 'CPL') return 0n;
    if (cell === 'RFLAGS') return (real('RFLAGS') & ~RMODE_FLAGS) | (vcpu.get('rmode_rflags') & RMODE_FLAGS);
    const part = segmentPartOf(cell);
    return part === undefined ? real(cell) : realModeSegmentPart(memory, part, real);
  };
}

/** A selector that the guest has loaded since KVM last heard of the segment brings its own base. */
function realModeSegmentPart(memory: PhysicalMemory, wanted: SegmentPart, real: CellReader): bigint {
  const {segment, part} = wanted;
  const saved = savedSegmentPart(memory, wanted);
  if (segment === 'TR' || !changedByLoad(part)) return saved;
  const isLoaded = real(`${segment}.selector`) !== savedSegmentPart(memory, {segment, part: 'selector'});
  return isLoaded ? real(`${segment}.${part}`) : saved;
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
