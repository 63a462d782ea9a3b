// What the control program knows of one virtual machine, in a page of its own memory: VM/370 called it VMBLOK. It lies in simulated
// memory, so stepping back brings accounts and states back, and a record alone is enough to read them.
//
//   +000 name, 8 bytes   +008 state  +010 weight  +018 pass              (the scheduler's)
//   +020 virtual cycles  +028 CP's cycles  +030 dispatches  +038 slices used up  +040 waits  +048 DIAGNOSEs  +050 target  +058 decks
//   +060 by how much its time-stamp counter is ahead of the machine's cycles, modulo 2^64
//   +100 traps by vector, 8 bytes each, 0 to FFh, and 100h: SYSCALL          +a00 the vector registers, while another one runs

import {hpa} from '@hyperscope/base';
import type {Hpa} from '@hyperscope/base';
import type {PhysicalMemory} from '@hyperscope/machine';
import type {SchedulerField} from '../scheduling/stride-scheduler.js';
import {VMBLOKS, VMBLOK_BYTES} from './cp-layout.js';

const FIELDS = {
  state: 0x8,
  weight: 0x10,
  pass: 0x18,
  virtualCycles: 0x20,
  cpCycles: 0x28,
  dispatches: 0x30,
  preempted: 0x38,
  waits: 0x40,
  diagnoses: 0x48,
  /** 1 + the number of the virtual machine whose reader gets what is punched; 0: none. */
  punchTarget: 0x50,
  /** Decks that it has punched: the number of its last spool file. */
  decks: 0x58,
} as const satisfies Readonly<Record<string, number>> & Readonly<Record<SchedulerField, number>>;
export type VmBlockField = keyof typeof FIELDS;

const TIME_OFFSET = 0x60;
const NAME_BYTES = 8;
const TRAPS = 0x100;
const SYSTEM_CALL = 0x100;
const VECTOR_REGISTERS = 0xa00;

export class VmBlock {
  readonly #read: (at: Hpa, bytes: number) => bigint;
  readonly #start: number;

  constructor(read: (at: Hpa, bytes: number) => bigint, index: number) {
    this.#read = read;
    this.#start = VMBLOKS + index * VMBLOK_BYTES;
  }

  get name(): string {
    const bytes = Array.from({length: NAME_BYTES}, (_, at) => Number(this.#read(hpa(this.#start + at), 1)));
    return String.fromCharCode(...bytes).trimEnd();
  }
  get(field: VmBlockField): number {
    return Number(this.#read(this.#at(FIELDS[field]), 8));
  }
  get timeOffset(): bigint {
    return this.#read(this.#at(TIME_OFFSET), 8);
  }
  /** How often it came into the control program by a vector; 100h: by SYSCALL. */
  traps(vector: number): number {
    return Number(this.#read(this.#at(TRAPS + 8 * vector), 8));
  }
  /** All vectors by which it came, with their counts. */
  allTraps(): ReadonlyMap<number, number> {
    const counts = Array.from({length: SYSTEM_CALL + 1}, (_, vector) => [vector, this.traps(vector)] as const);
    return new Map(counts.filter(([, count]) => count > 0));
  }

  #at(offset: number): Hpa {
    return hpa(this.#start + offset);
  }
}

/** The same, for the control program itself. */
export class WritableVmBlock extends VmBlock {
  readonly #memory: PhysicalMemory;
  readonly #start: number;

  constructor(memory: PhysicalMemory, index: number) {
    super((at, bytes) => memory.read(at, bytes), index);
    this.#memory = memory;
    this.#start = VMBLOKS + index * VMBLOK_BYTES;
  }

  /** `name`: up to eight letters. */
  setName(name: string): void {
    this.#memory.load(hpa(this.#start), new TextEncoder().encode(name.padEnd(NAME_BYTES)));
  }
  set(field: VmBlockField, value: number): void {
    if (this.get(field) !== value) this.#memory.write(hpa(this.#start + FIELDS[field]), 8, BigInt(value));
  }
  add(field: VmBlockField, amount: number): void {
    this.set(field, this.get(field) + amount);
  }
  setTimeOffset(offset: bigint): void {
    if (this.timeOffset !== offset) this.#memory.write(hpa(this.#start + TIME_OFFSET), 8, offset);
  }
  countTrap(vector: number): void {
    this.#memory.write(hpa(this.#start + TRAPS + 8 * vector), 8, BigInt(this.traps(vector) + 1));
  }

  saveVectorRegisters(bytes: Uint8Array): void {
    this.#memory.load(hpa(this.#start + VECTOR_REGISTERS), bytes);
  }
  vectorRegisters(bytes: number): Uint8Array {
    const start = this.#start + VECTOR_REGISTERS;
    return this.#memory.bytes.slice(start, start + bytes);
  }
}
