// The guest's registers and the memory that was asked for, at the end of a run.

import {CELLS} from '@hyperscope/isa';
import {hex} from '@hyperscope/base';
import type {RecordHeader} from '@hyperscope/trace';
import type {TechniqueRun} from '@hyperscope/vmm';
import {StateView} from '../session/state-view.js';
import {guestExtents} from '../session/guest-extents.js';

/** Cells that belong to the simulated processor and not to the guest. */
const NOT_THE_GUESTS: ReadonlySet<string> = new Set(['VMX_OPERATION', 'VMXON_POINTER', 'CURRENT_VMCS']);

export interface FinalState {
  readonly registers: Readonly<Record<string, string>>;
  readonly memory: Readonly<Record<string, string>>;
}

export function finalState(run: TechniqueRun, technique: string, memoryBytes: number, dumps: readonly {readonly address: number; readonly length: number}[]): FinalState {
  const guestMemory = guestExtents(run, memoryBytes);
  const header: Pick<RecordHeader, 'cells' | 'technique' | 'guestMemory'> = {cells: CELLS, technique, ...guestMemory === undefined ? {} : {guestMemory}};
  const state = new StateView(header, run.banks);
  const cells = state.guestCells();
  const hidden = (cell: string): boolean => technique !== 'bare' && NOT_THE_GUESTS.has(cell);
  return {
    registers: Object.fromEntries(CELLS.filter(cell => !hidden(cell)).map(cell => [cell.toLowerCase(), hex(cells(cell) ?? 0n)])),
    memory: Object.fromEntries(dumps.map(({address, length}) => [
      hex(address), [...state.guestMemory.readPhysical(address, length) ?? []].map(byte => byte.toString(16).padStart(2, '0')).join(''),
    ])),
  };
}
