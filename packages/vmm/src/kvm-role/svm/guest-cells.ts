// An SVM guest's registers for whoever looks on: in the processor while the guest runs, in the VMCB and in kvm_vcpu while the
// host does; control registers as the guest believes them to be.

import type {Cell} from '@hyperscope/isa';
import type {PhysicalMemory} from '@hyperscope/machine';
import type {CellReader} from '../guest-view.js';
import {SvmGuestState} from './guest-state.js';

const GUEST = 2n;
const CR0_WRITE = 0;

/** Kept by KVM even while the guest runs, because accesses are intercepted. */
const ALWAYS_KEPT: ReadonlySet<Cell> = new Set<Cell>([
  'CR4',
  'CR8',
  'EFER',
  'DR0',
  'DR1',
  'DR2',
  'DR3',
  'NMI_BLOCKING',
  'APIC_BASE',
  'MISC_ENABLE',
]);

export function svmGuestCells(cells: CellReader, memory: PhysicalMemory): CellReader {
  const state = new SvmGuestState(memory);
  const isHost = cells('VMX_OPERATION') !== GUEST;
  const nested = state.vmcb.bit('NESTED_CONTROL', 0);
  const ownsCr0 = nested && !state.vmcb.bit('INTERCEPT_CR_WRITE', CR0_WRITE);
  return cell => {
    const isKept = ALWAYS_KEPT.has(cell) || (cell === 'CR3' && !nested) || (cell === 'CR0' && !ownsCr0);
    return isHost || isKept ? (state.get(cell) ?? cells(cell)) : cells(cell);
  };
}
