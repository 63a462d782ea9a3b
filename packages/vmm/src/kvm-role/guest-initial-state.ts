// The guest's registers before its first instruction: the processor's reset state, with what the loader asked for.

import {CELLS, cellIndex} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import type {Machine} from '@hyperscope/machine';
import type {RegisterValues} from '../virtual-machine.js';

export type InitialState = (cell: Cell) => bigint;

/** `machine` must still be in its reset state. */
export function initialState(machine: Machine, loader: RegisterValues): InitialState {
  const reset = machine.registers.cells.slice(0, CELLS.length);
  return cell => loader[cell] ?? reset[cellIndex(cell)] ?? 0n;
}
