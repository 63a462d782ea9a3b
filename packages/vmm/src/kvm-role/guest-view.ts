// The guest's registers as the guest itself would find them, wherever they lie at the moment: in the processor while it
// runs; in the control block and in kvm_vcpu while the host does. For whoever looks on; a hypervisor asks its vendor half.

import {CELLS} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import {NO_POINTER} from '@hyperscope/machine';
import type {PhysicalMemory} from '@hyperscope/machine';
import {svmGuestCells} from './svm/guest-cells.js';
import {vmxGuestCells} from './vmx/guest-cells.js';

const OUTSIDE = 0n;
const PROCESSORS_OWN: ReadonlySet<Cell> = new Set<Cell>([
  'VMX_OPERATION',
  'VMXON_POINTER',
  'CURRENT_VMCS',
  'CURRENT_VMCB',
  'VM_CR',
  'VM_HSAVE_PA',
  'GIF',
  'FEATURE_CONTROL',
]);

export type CellReader = (cell: Cell) => bigint;

/**
 * Reads the guest's cells. `cells` reads the processor's, `memory` is the host's; both may come from a record. Before
 * there is a control block with a guest in it, the processor's own cells are all there is. VMX_OPERATION is 1 in VMX root
 * operation and in an SVM host after its first VMRUN, 2 in a guest of either.
 */
export function guestCells(cells: CellReader, memory: PhysicalMemory): CellReader {
  if (cells('VMX_OPERATION') === OUTSIDE) return cells;
  if (cells('CURRENT_VMCB') !== NO_POINTER) return svmGuestCells(cells, memory);
  const vmcs = cells('CURRENT_VMCS');
  return vmcs === NO_POINTER ? cells : vmxGuestCells(cells, memory, vmcs);
}

/** The cells that belong to a guest, in the order of the register bank. */
export const GUEST_CELLS: readonly Cell[] = CELLS.filter(cell => !PROCESSORS_OWN.has(cell));
