// The virtual CPU: what the guest believes to be in its processor, beside what the processor really holds. Every register is
// here, one 8-byte slot a cell in the order of isa's list, and behind them what the VMM has to remember between two steps.
// It lies in host memory, so it is recorded and shown like any other. Adams and Agesen 2006, section 2.2, "shadow structures".

import {hpa} from '@hyperscope/base';
import type {Hpa} from '@hyperscope/base';
import {CELLS, cellIndex} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import type {PhysicalMemory} from '@hyperscope/machine';
import {VIRTUAL_CPU, inWindow} from './vmm-layout.js';

const SLOTS = [
  /** 1 from the moment the guest's registers are in the processor until they have been saved here. */
  'in_guest',
  /** The vector and error code of the exception that led into the VMM; 100h: SYSCALL, 101h: SYSENTER. */
  'vector',
  'error_code',
  /** The selectors that the VMM loaded last: another one in the processor was loaded by the guest, and nobody trapped. */
  'loaded_ES',
  'loaded_CS',
  'loaded_SS',
  'loaded_DS',
  'loaded_FS',
  'loaded_GS',
  /** The real ring of the guest's ring 0: 1 or 3. */
  'kernel_ring',
  /** 1: an interrupt waits, and the guest cannot take it: until it traps again the VMM does not want to hear of it. */
  'interrupt_noted',
  'nmi_pending',
  /** 1: the processor runs the guest from the translation cache, and its RIP is one there. */
  'translated',
  /** 1: it left the cache by a stub, with nothing to be emulated. */
  'at_stub',
  /** 1 + the offset in the translation cache of the stub by which it was left, until the stub leads somewhere. */
  'stub',
  /** 1: it left the cache by a look-up that found nothing. */
  'missed',
  /** Traps, calls through the gate, and instructions carried out, for whoever counts. */
  'traps',
  'callouts',
  'emulated',
] as const;
export type VirtualCpuSlot = (typeof SLOTS)[number];

const SLOT_INDEX: ReadonlyMap<VirtualCpuSlot, number> = new Map(
  SLOTS.map((slot, index) => [slot, CELLS.length + index]),
);

/** Where a slot lies in the virtual CPU, in bytes. */
export function slotOffset(slot: VirtualCpuSlot): number {
  return 8 * (SLOT_INDEX.get(slot) ?? 0);
}

export class VirtualCpu {
  readonly #memory: PhysicalMemory;
  readonly #start: number;

  /** `start`: where it lies in `memory`, which need not be the machine's own. */
  constructor(memory: PhysicalMemory, start: number = inWindow(VIRTUAL_CPU)) {
    this.#memory = memory;
    this.#start = start;
  }

  get(cell: Cell): bigint {
    return this.#memory.read(this.#placeOf(cellIndex(cell)), 8);
  }
  /** A cell that fits a double. */
  number(cell: Cell): number {
    return Number(this.get(cell));
  }
  set(cell: Cell, value: bigint): void {
    this.#put(cellIndex(cell), value);
  }

  slot(name: VirtualCpuSlot): number {
    return Number(this.#memory.read(this.#placeOf(SLOT_INDEX.get(name) ?? 0), 8));
  }
  setSlot(name: VirtualCpuSlot, value: number): void {
    this.#put(SLOT_INDEX.get(name) ?? 0, BigInt(value));
  }

  /** Every cell into `cells`, in the order of isa's list. */
  readAll(cells: BigUint64Array): void {
    for (let index = 0; index < CELLS.length; index++) cells[index] = this.#memory.read(this.#placeOf(index), 8);
  }

  /** Writes what changed, so that a record has no more than that. */
  #put(index: number, value: bigint): void {
    const at = this.#placeOf(index);
    if (this.#memory.read(at, 8) !== value) this.#memory.write(at, 8, BigInt.asUintN(64, value));
  }

  #placeOf(index: number): Hpa {
    return hpa(this.#start + 8 * index);
  }
}
