// The guest's registers and the memory that was asked for, at the end of a run.

import {CELLS} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import {hex} from '@hyperscope/base';
import {GuestMemory} from '@hyperscope/trace';
import type {CellSource} from '@hyperscope/trace';
import type {GuestImage, TechniqueRun} from '@hyperscope/vmm';
import {guestExtents} from '../session/guest-extents.js';

export interface FinalState {
  readonly registers: Readonly<Record<string, string>>;
  readonly memory: Readonly<Record<string, string>>;
}

/** The simulator's own counters: no processor shows them to a program. */
const COUNTERS: ReadonlySet<Cell> = new Set(['CYCLES', 'INSTRUCTIONS']);

export interface Dump {
  /** Guest-physical. */
  readonly address: number;
  readonly length: number;
}

export function finalState(run: TechniqueRun, image: GuestImage, dumps: readonly Dump[]): FinalState {
  const memory = memoryOf(run, image);
  const registers = run.guestRegisters();
  return {
    registers: Object.fromEntries(
      CELLS.flatMap(cell => {
        const value = registers[cell];
        return value === undefined || COUNTERS.has(cell) ? [] : [[cell.toLowerCase(), hex(value)]];
      }),
    ),
    memory: Object.fromEntries(
      dumps.map(({address, length}) => [
        hex(address),
        [...(memory.readPhysical(address, length) ?? readRom(image, address, length))]
          .map(byte => byte.toString(16).padStart(2, '0'))
          .join(''),
      ]),
    ),
  };
}

/** Guest memory as it is now. */
export function memoryOf(run: TechniqueRun, image: GuestImage): GuestMemory {
  const guestMemory = guestExtents(run, image.memoryBytes);
  return new GuestMemory(guestMemory === undefined ? {} : {guestMemory}, run.machine.memory.bytes);
}

/** The guest's registers by the name of their cell. */
export function cellsOf(run: TechniqueRun): CellSource {
  const values: ReadonlyMap<string, bigint | undefined> = new Map(Object.entries(run.guestRegisters()));
  return name => values.get(name);
}

/** What lies beyond memory is ROM: it is as the loader left it. Empty where there is none. */
function readRom(image: GuestImage, address: number, length: number): Uint8Array {
  const rom = image.segments.find(one => address >= one.gpa && address < one.gpa + one.bytes.length);
  return rom === undefined ? new Uint8Array() : rom.bytes.slice(address - rom.gpa, address - rom.gpa + length);
}
