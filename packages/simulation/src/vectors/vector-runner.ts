// Runs vectors on the machine. One machine serves all of them: before each its registers are put back whole from a
// copy, and after each its memory is put back to zero, also where the machine wrote and the chip did not.

import {CELLS, cellIndex} from '@hyperscope/isa';
import {Machine, NEHALEM, NEHALEM_COSTS} from '@hyperscope/machine';
import {VECTOR_REGISTERS, slotOf} from './vector.js';
import type {Vector} from './vector.js';

/** What the suites assume: all that a 286 can address. */
const MEMORY_BYTES = 16 << 20;
/** More than a repeated instruction of a suite takes (CX is at most 127 there). */
const STEP_LIMIT = 400;
const HLT = 0xf4;
/** A processor that ran away writes much; this many differences say enough. */
const SHOWN_DIFFERENCES = 12;

export type VectorVerdict =
  | {readonly kind: 'right'}
  | {readonly kind: 'wrong'; readonly differences: readonly string[]}
  /** An instruction that Hyperscope does not simulate. */
  | {readonly kind: 'unsupported'; readonly what: string};

const RIGHT: VectorVerdict = {kind: 'right'};

/** IOPL and NT cannot be set in a 286's real mode, whatever LOADALL was given; bits 15 to 31 are of other processors. */
const FLAGS_286 = 0x0fd7;
/** Defined in a 386: also IOPL, NT, RF and VM; RF is how the capture was made, and VM never set in real mode. */
const FLAGS_386 = 0x7fd7;
const COMPARED_286 = 0x0fd5;
const COMPARED_386 = 0x7fd5;

/** Segments: the slot in a vector, and where selector, base and the rest lie. */
const SEGMENTS = (['CS', 'DS', 'ES', 'FS', 'GS', 'SS'] as const).map(name => ({
  slot: VECTOR_REGISTERS.findIndex(register => register === name.toLowerCase()),
  selector: 2 * cellIndex(`${name}.selector`),
  base: 2 * cellIndex(`${name}.base`),
}));
const PLAIN = (
  [
    ['eax', 'RAX'],
    ['ebx', 'RBX'],
    ['ecx', 'RCX'],
    ['edx', 'RDX'],
    ['esi', 'RSI'],
    ['edi', 'RDI'],
    ['ebp', 'RBP'],
    ['esp', 'RSP'],
    ['eip', 'RIP'],
  ] as const
).map(([register, cell]) => ({slot: slotOf(register), word: 2 * cellIndex(cell)}));
const COMPARED = [...PLAIN, ...SEGMENTS.map(({slot, selector}) => ({slot, word: selector}))];
const FLAGS_SLOT = slotOf('eflags');
const FLAGS_WORD = 2 * cellIndex('RFLAGS');
const SS_SLOT = slotOf('ss');
const ESP_SLOT = slotOf('esp');
const RIP_WORD = 2 * cellIndex('RIP');
const CS_BASE_WORD = 2 * cellIndex('CS.base');
const ACTIVITY_WORD = 2 * cellIndex('ACTIVITY');
const CR0_WORD = 2 * cellIndex('CR0');

export class VectorRunner {
  /** Nearly every instruction runs once, so there is nothing that compiling it would save. */
  readonly #machine = new Machine({
    memoryBytes: MEMORY_BYTES,
    profile: NEHALEM,
    costModel: NEHALEM_COSTS,
    executor: 'reference',
  });
  readonly #reset: BigUint64Array;
  readonly #cr0: number;
  /** Where the machine wrote in this vector: address and length by turns. */
  readonly #written: number[] = [];

  constructor() {
    const {registers, memory} = this.#machine;
    registers.set('IDTR.limit', 0x3ffn);
    registers.set('RDX', 0n);
    this.#reset = registers.cells.slice(0, CELLS.length);
    this.#cr0 = registers.words[CR0_WORD] ?? 0;
    memory.observer = {
      willWrite: (_bank, offset, length) => void this.#written.push(offset, length),
      event: () => undefined,
    };
  }

  /** Runs one vector until its HLT has executed, and compares what it left. */
  run(vector: Vector): VectorVerdict {
    this.#prepare(vector);
    const stop = this.#execute();
    const verdict = typeof stop === 'object' ? stop : this.#compare(vector, stop);
    this.#clean(vector);
    return verdict;
  }

  #prepare({before, width, memoryBefore}: Vector): void {
    const {registers, memory} = this.#machine;
    const {words} = registers;
    registers.cells.set(this.#reset);
    for (const {slot, word} of PLAIN) words[word] = before[slot] ?? 0;
    for (const {slot, selector, base} of SEGMENTS) {
      const value = (before[slot] ?? 0) & 0xffff;
      words[selector] = value;
      words[base] = value << 4;
    }
    words[FLAGS_WORD] = ((before[FLAGS_SLOT] ?? 0) & (width === 16 ? FLAGS_286 : FLAGS_386)) | 2;
    for (let i = 0; i < memoryBefore.length; i += 2) {
      const address = memoryBefore[i] ?? 0;
      memory.bytes[address] = memoryBefore[i + 1] ?? 0;
      memory.invalidate(address, 1);
    }
    this.#written.length = 0;
  }

  /**
   * Executes the instruction and the HLT behind it. Whatever the instruction did, it ends before a HLT, so at any other
   * byte the machine has gone where the chip did not.
   */
  #execute(): 'halted' | 'astray' | VectorVerdict {
    const start = this.#next;
    for (let steps = 0; steps < STEP_LIMIT; steps++) {
      const step = this.#machine.step();
      if (step.kind === 'halted') return 'halted';
      if (step.kind === 'unsupported') return {kind: 'unsupported', what: step.what};
      if (step.kind === 'shutdown') return {kind: 'wrong', differences: ['the processor shut down']};
      const next = this.#next;
      if (next !== start && this.#machine.registers.words[ACTIVITY_WORD] === 0 && this.#byteAt(next) !== HLT)
        return 'astray';
    }
    return {kind: 'wrong', differences: [`not at its end after ${STEP_LIMIT} steps`]};
  }

  /** The linear address of the next instruction, which in real mode is the physical one. */
  get #next(): number {
    const {words} = this.#machine.registers;
    return (words[CS_BASE_WORD] ?? 0) + (words[RIP_WORD] ?? 0);
  }

  #byteAt(address: number): number {
    return this.#machine.memory.bytes[address] ?? 0;
  }

  #compare(vector: Vector, stop: 'halted' | 'astray'): VectorVerdict {
    const {after, mask, width} = vector;
    const {words} = this.#machine.registers;
    const flagsMask = (mask[FLAGS_SLOT] ?? 0) & (width === 16 ? COMPARED_286 : COMPARED_386);
    const differences: string[] = stop === 'halted' ? [] : [`at ${this.#next.toString(16)} is no HLT`];
    for (const {slot, word} of COMPARED) {
      const want = ((after[slot] ?? 0) & (mask[slot] ?? 0)) >>> 0;
      const got = ((words[word] ?? 0) & (mask[slot] ?? 0)) >>> 0;
      if (want !== got) differences.push(difference(nameOf(slot, width), want, got));
    }
    const want = (after[FLAGS_SLOT] ?? 0) & flagsMask;
    const got = (words[FLAGS_WORD] ?? 0) & flagsMask;
    if (want !== got) differences.push(difference(nameOf(FLAGS_SLOT, width), want, got));
    this.#compareMemory(vector, flagsMask, differences);
    return differences.length === 0 ? RIGHT : {kind: 'wrong', differences: differences.slice(0, SHOWN_DIFFERENCES)};
  }

  #compareMemory(vector: Vector, flagsMask: number, differences: string[]): void {
    const {memoryAfter} = vector;
    // The flags that an exception pushed lie above IP and CS; what is undefined in them is undefined there too.
    const pushed = vector.exception === undefined ? -2 : pushedFlags(vector.after);
    for (let i = 0; i < memoryAfter.length; i += 2) {
      const address = memoryAfter[i] ?? 0;
      const byte = memoryAfter[i + 1] ?? 0;
      const mask = address === pushed ? flagsMask & 0xff : address === pushed + 1 ? flagsMask >> 8 : 0xff;
      const got = this.#byteAt(address);
      if ((got & mask) !== (byte & mask)) differences.push(difference(`[${address.toString(16)}]`, byte, got));
    }
    if (this.#written.length > 0) this.#compareUnchanged(vector, differences);
  }

  /** Bytes that the machine wrote and the chip did not, or wrote as they were. */
  #compareUnchanged({memoryBefore, memoryAfter}: Vector, differences: string[]): void {
    const compared = new Set<number>();
    for (let i = 0; i < memoryAfter.length; i += 2) compared.add(memoryAfter[i] ?? 0);
    for (let i = 0; i < this.#written.length; i += 2) {
      const start = this.#written[i] ?? 0;
      for (let address = start; address < start + (this.#written[i + 1] ?? 0); address++) {
        if (compared.has(address)) continue;
        compared.add(address);
        const was = byteBefore(memoryBefore, address);
        const got = this.#byteAt(address);
        if (got !== was) differences.push(difference(`[${address.toString(16)}] (which the chip left)`, was, got));
      }
    }
  }

  #clean({memoryBefore, memoryAfter}: Vector): void {
    const {memory, registers} = this.#machine;
    for (let i = 0; i < this.#written.length; i += 2) {
      const start = this.#written[i] ?? 0;
      memory.bytes.fill(0, start, start + (this.#written[i + 1] ?? 0));
    }
    for (const list of [memoryBefore, memoryAfter])
      for (let i = 0; i < list.length; i += 2) memory.bytes[list[i] ?? 0] = 0;
    // An instruction may have switched paging on and filled the TLB.
    if (registers.words[CR0_WORD] !== this.#cr0) this.#machine.reset();
  }
}

const nameOf = (slot: number, width: 16 | 32): string => {
  const name = VECTOR_REGISTERS[slot] ?? '';
  return width === 16 && name.startsWith('e') && name !== 'es' ? name.slice(1) : name;
};

const difference = (what: string, want: number, got: number): string =>
  `${what} ${want.toString(16)}, here ${got.toString(16)}`;

function pushedFlags(after: Uint32Array): number {
  return ((after[SS_SLOT] ?? 0) & 0xffff) * 16 + (((after[ESP_SLOT] ?? 0) + 4) & 0xffff);
}

function byteBefore(memory: readonly number[], address: number): number {
  let byte = 0;
  for (let i = 0; i < memory.length; i += 2) if (memory[i] === address) byte = memory[i + 1] ?? 0;
  return byte;
}
