// The guest's registers and the memory that was asked for, at the end of a run.

import {CELLS} from '@hyperscope/isa';
import {hex} from '@hyperscope/base';
import {GuestMemory} from '@hyperscope/trace';
import type {TechniqueRun} from '@hyperscope/vmm';
import {guestExtents} from '../session/guest-extents.js';

export interface FinalState {
  readonly registers: Readonly<Record<string, string>>;
  readonly memory: Readonly<Record<string, string>>;
}

export function finalState(
  run: TechniqueRun,
  memoryBytes: number,
  dumps: readonly {readonly address: number; readonly length: number}[],
): FinalState {
  const guestMemory = guestExtents(run, memoryBytes);
  const memory = new GuestMemory(guestMemory === undefined ? {} : {guestMemory}, run.machine.memory.bytes);
  const registers = run.guestRegisters();
  return {
    registers: Object.fromEntries(
      CELLS.flatMap(cell => {
        const value = registers[cell];
        return value === undefined ? [] : [[cell.toLowerCase(), hex(value)]];
      }),
    ),
    memory: Object.fromEntries(
      dumps.map(({address, length}) => [
        hex(address),
        [...(memory.readPhysical(address, length) ?? [])].map(byte => byte.toString(16).padStart(2, '0')).join(''),
      ]),
    ),
  };
}
