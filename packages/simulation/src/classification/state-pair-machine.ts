// One instruction, executed in one state: what it did to the program and what it did to the system, or that it trapped.
// The machine is the same for every state; what a run has changed is put back before the next.

import {CELLS, GENERAL_REGISTERS, XMM_REGISTERS, cellIndex, vectorPlace} from '@hyperscope/isa';
import type {Cell} from '@hyperscope/isa';
import {Machine, NEHALEM_COSTS, virtualizationOf} from '@hyperscope/machine';
import type {ProcessorProfile} from '@hyperscope/machine';
import {LAYOUT, memoryImage} from './state-layout.js';
import type {ClassifiedMode} from './state-layout.js';
import {baseCells, indexed, modeCells, putCells, revisionOf} from './starting-states.js';
import type {IndexedCells, ProcessorMode, Relocation} from './starting-states.js';
import type {InstructionSample, Patch} from './instruction-samples.js';

/** How an instruction ended. `trap`: an exception; `entry`: it went to the system's entry by itself (INT n, SYSCALL). */
export type Ending = 'completed' | 'trap' | 'entry' | 'unsupported';

export interface StateOutcome {
  readonly ending: Ending;
  /** The vector of the exception that trapped. */
  readonly vector: number | undefined;
  /** All cells afterwards, in the order of CELLS. */
  readonly cells: BigUint64Array;
  /** What is different of the system's resources: a cell's name with its values, `port`, `TLB`, `system memory`. */
  readonly changed: readonly string[];
  /** The program's bytes that were written: offset in the first copy, value. */
  readonly written: ReadonlyMap<number, number>;
  /** The x87, MMX and SSE state, where it was written. */
  readonly vectors: Uint8Array | undefined;
}

const bit = (index: number): bigint => 1n << BigInt(index);
/** IF, IOPL, VM, VIF, VIP: RFLAGS bits that belong to the system. The others are the program's. */
const SYSTEM_FLAGS = bit(9) | (3n << 12n) | bit(17) | bit(19) | bit(20);
/** RF lasts for one instruction and is nobody's. */
const PROGRAM_FLAGS = BigInt.asUintN(64, ~(SYSTEM_FLAGS | bit(16)));
const RFLAGS = cellIndex('RFLAGS');
const RIP = cellIndex('RIP');

/** Cells that are the program's, or that only count or hold off. In 64-bit mode the bases of FS and GS are the program's own. */
const NO_RESOURCES: readonly Cell[] = [
  ...GENERAL_REGISTERS,
  'RIP',
  'RFLAGS',
  'CYCLES',
  'INSTRUCTIONS',
  'TSC',
  'INTERRUPT_SHADOW',
];
/** Where registers that a program sees are in the bank. */
const PROGRAM_CELLS: readonly number[] = [...GENERAL_REGISTERS.map(cellIndex), RIP];

/** The operand's and the stack's. */
const WATCHED_PAGES: readonly number[] = [LAYOUT.data >> 12, LAYOUT.stack >> 12];
/** XMM registers that hold something, so that clearing them shows. */
const VECTOR_FILL = 0x5a;

export class StatePairMachine {
  readonly #machine: Machine;
  readonly #image: Uint8Array;
  readonly #base: BigUint64Array;
  readonly #modes: Readonly<Record<ProcessorMode, IndexedCells>>;
  readonly #resources: readonly number[];
  readonly #vectors: Uint8Array;
  /** The same with the loaded sample: what a copy is between two runs. */
  readonly #current: Uint8Array;
  #loaded: readonly Patch[] = [];
  #vectorsTouched = false;
  #tlbKnows: Relocation['frames'] | undefined;
  readonly #touched: (readonly [offset: number, length: number])[] = [];
  #registers: IndexedCells = [];
  readonly #relocations = new Map<Relocation, IndexedCells>();

  constructor(profile: ProcessorProfile, mode: ClassifiedMode) {
    const virtualization = virtualizationOf(profile);
    const machine = new Machine({
      executor: 'reference',
      memoryBytes: LAYOUT.memoryBytes,
      profile,
      costModel: NEHALEM_COSTS,
      virtualization,
    });
    this.#machine = machine;
    this.#base = machine.registers.cells.slice();
    putCells(this.#base, indexed(baseCells(profile, mode)));
    this.#modes = {supervisor: indexed(modeCells(mode, 'supervisor')), user: indexed(modeCells(mode, 'user'))};
    const excepted = new Set<string>([...NO_RESOURCES, ...(mode === 64 ? ['FS.base', 'GS.base'] : [])]);
    this.#resources = CELLS.flatMap((cell, index) => (excepted.has(cell) ? [] : [index]));
    this.#image = memoryImage(mode, revisionOf(profile));
    this.#current = this.#image.slice();
    for (const copy of [0, LAYOUT.shift]) machine.memory.bytes.set(this.#image, copy);
    machine.memory.invalidate(0, LAYOUT.memoryBytes);
    this.#vectors = machine.processor.vectors.bytes.slice();
    for (const register of XMM_REGISTERS) {
      const {offset, bits} = vectorPlace(register);
      this.#vectors.fill(VECTOR_FILL, offset, offset + bits / 8);
    }
    machine.processor.vectors.bytes.set(this.#vectors);
    machine.observe({
      ignoresEvents: true,
      willWrite: (bank, offset, length) => {
        if (bank === 'memory') this.#touched.push([offset, length]);
        if (bank === 'vector') this.#vectorsTouched = true;
      },
      event: () => undefined,
    });
  }

  /** Puts a sample's code and operands into both copies of memory, in place of the last one's. */
  load(sample: InstructionSample): void {
    this.unload();
    this.#loaded = sample.patches;
    this.#registers = indexed(sample.registers);
    for (const {address, bytes} of sample.patches) this.#put(address, bytes);
  }
  unload(): void {
    for (const {address, bytes} of this.#loaded)
      this.#put(address, this.#image.subarray(address, address + bytes.length));
    this.#loaded = [];
  }
  #put(address: number, bytes: Uint8Array): void {
    const {memory} = this.#machine;
    for (const at of [address, address + LAYOUT.shift]) {
      memory.bytes.set(bytes, at);
      memory.invalidate(at, bytes.length);
    }
    this.#current.set(bytes, address);
  }

  /** Executes the loaded sample once, in a mode, with or without something of the system relocated. */
  run(mode: ProcessorMode, relocation?: Relocation): StateOutcome {
    const machine = this.#machine;
    const shift = relocation?.frames === 'the second copy' ? LAYOUT.shift : 0;
    this.#prepare(mode, relocation);
    const before = machine.registers.cells.slice();
    const step = machine.step();
    const outcome = this.#outcome(before, step.kind, shift);
    this.#restore();
    return outcome;
  }

  #prepare(mode: ProcessorMode, relocation: Relocation | undefined): void {
    const machine = this.#machine;
    const {cells} = machine.registers;
    cells.set(this.#base);
    putCells(cells, this.#modes[mode]);
    if (relocation !== undefined) putCells(cells, this.#relocated(relocation));
    putCells(cells, this.#registers);
    this.#fillTlb(relocation?.frames ?? 'the first copy');
    this.#touched.length = 0;
    this.#vectorsTouched = false;
    machine.ports.unknown.clear();
  }

  /** The TLB knows the operand's page and the stack's, so that forgetting them can be seen. What it knows is kept while it is true. */
  #fillTlb(frames: Relocation['frames']): void {
    const {tlb, processor} = this.#machine;
    if (this.#tlbKnows !== frames) tlb.reset();
    this.#tlbKnows = frames;
    for (const page of WATCHED_PAGES)
      if (tlb.find(page) < 0) processor.mmu.translate(BigInt(page) << 12n, 'read', 'supervisor');
  }

  #relocated(relocation: Relocation): IndexedCells {
    const known = this.#relocations.get(relocation);
    if (known !== undefined) return known;
    const cells = indexed(relocation.cells);
    this.#relocations.set(relocation, cells);
    return cells;
  }

  #restore(): void {
    const {memory} = this.#machine;
    for (const [offset, length] of this.#touched) {
      const start = offset % LAYOUT.shift;
      if (start >= this.#current.length) memory.bytes.fill(0, offset, offset + length);
      else memory.bytes.set(this.#current.subarray(start, start + length), offset);
      memory.invalidate(offset, length);
    }
    if (this.#vectorsTouched) this.#machine.processor.vectors.bytes.set(this.#vectors);
  }

  #outcome(before: BigUint64Array, step: string, shift: number): StateOutcome {
    const machine = this.#machine;
    const cells = machine.registers.cells.slice();
    const rip = Number(cells[RIP] ?? 0n);
    const isEntry = rip >= LAYOUT.handlers && rip < LAYOUT.systemCall + 0x100;
    const ending =
      step === 'unsupported' || step === 'shutdown'
        ? 'unsupported'
        : step === 'delivery'
          ? 'trap'
          : isEntry
            ? 'entry'
            : 'completed';
    const {program, system} = this.#written(shift);
    return {
      ending,
      vector: ending === 'trap' ? (rip - LAYOUT.handlers) >> 4 : undefined,
      cells,
      changed: ending === 'trap' ? [] : this.#changed(before, cells, system),
      written: program,
      vectors: this.#vectorsTouched ? machine.processor.vectors.bytes.slice() : undefined,
    };
  }

  #changed(before: BigUint64Array, after: BigUint64Array, system: 'system memory' | undefined): readonly string[] {
    const {tlb, ports} = this.#machine;
    const [from, to] = [new Uint32Array(before.buffer), new Uint32Array(after.buffer)];
    const changed = this.#resources.flatMap(index =>
      from[2 * index] === to[2 * index] && from[2 * index + 1] === to[2 * index + 1]
        ? []
        : [`${CELLS[index] ?? ''}: ${shown(before[index])} → ${shown(after[index])}`],
    );
    const [flags, flagsAfter] = [(before[RFLAGS] ?? 0n) & SYSTEM_FLAGS, (after[RFLAGS] ?? 0n) & SYSTEM_FLAGS];
    if (flags !== flagsAfter) changed.push(`IF and IOPL in RFLAGS: ${shown(flags)} → ${shown(flagsAfter)}`);
    if (WATCHED_PAGES.some(page => tlb.find(page) < 0)) {
      changed.push('the TLB has forgotten a translation');
      this.#tlbKnows = undefined;
    }
    if (ports.unknown.size > 0) changed.push('a port was reached');
    if (system !== undefined) changed.push('memory of the system was written');
    return changed;
  }

  #written(shift: number): {
    readonly program: ReadonlyMap<number, number>;
    readonly system: 'system memory' | undefined;
  } {
    const program = new Map<number, number>();
    let system: 'system memory' | undefined;
    for (const [offset, length] of this.#touched)
      for (let at = offset; at < offset + length; at++) {
        const place = at - shift;
        if (place >= LAYOUT.code && place < LAYOUT.programEnd) program.set(place, this.#machine.memory.bytes[at] ?? 0);
        else system = 'system memory';
      }
    return {program, system};
  }
}

const shown = (value = 0n): string => `${value.toString(16)}h`;

/** How two completed runs differ for the program: `EAX: 8h / 1bh`; undefined where they do not. */
export function difference(a: StateOutcome, b: StateOutcome): string | undefined {
  const [first, second] = [new Uint32Array(a.cells.buffer), new Uint32Array(b.cells.buffer)];
  for (const index of PROGRAM_CELLS) {
    if (first[2 * index] === second[2 * index] && first[2 * index + 1] === second[2 * index + 1]) continue;
    return `${CELLS[index] ?? ''}: ${shown(a.cells[index])} / ${shown(b.cells[index])}`;
  }
  const [x, y] = [(a.cells[RFLAGS] ?? 0n) & PROGRAM_FLAGS, (b.cells[RFLAGS] ?? 0n) & PROGRAM_FLAGS];
  if (x !== y) return `RFLAGS: ${shown(x)} / ${shown(y)}`;
  return memoryDifference(a.written, b.written) ?? vectorDifference(a.vectors, b.vectors);
}

function memoryDifference(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): string | undefined {
  for (const place of new Set([...a.keys(), ...b.keys()])) {
    const [x, y] = [a.get(place), b.get(place)];
    if (x !== y) return `memory at ${place.toString(16)}h: ${x?.toString(16) ?? 'kept'} / ${y?.toString(16) ?? 'kept'}`;
  }
  return undefined;
}

function vectorDifference(a: Uint8Array | undefined, b: Uint8Array | undefined): string | undefined {
  if (a === undefined && b === undefined) return undefined;
  if (a === undefined || b === undefined) return 'x87, MMX or SSE state: changed / kept';
  return a.every((byte, index) => byte === b[index]) ? undefined : 'x87, MMX or SSE state: two values';
}
