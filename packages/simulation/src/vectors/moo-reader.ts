// MOO files, in which SingleStepTests publishes its vectors: chunks of a four-letter name, a 32-bit length and that
// many bytes, nested, all little-endian. Chunks that are not known are passed over, as the format asks.
// "MOO File Format Specification", version 1.1.
//
//   MOO  · META · [RMSK or RM32] · TEST …
//   TEST: index · NAME · BYTS · INIT (REGS or RG32, RAM ) · FINA (the same, [RMSK or RM32]) · CYCL · [EXCP] · HASH

import {UserError} from '@hyperscope/base';
import {VECTOR_REGISTERS, WORD_SLOTS, slotOf} from './vector.js';
import type {Vector, VectorMemory} from './vector.js';

/** What a collection says of a form beside its files. */
export interface MooOptions {
  /** The opcode form, which the file's name gives: `F7.6`. */
  readonly form: string;
  /** Defined flags, where the collection's metadata limits them. */
  readonly flagsMask?: number | undefined;
}

interface Chunk {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** The bits that are compared, and which registers a file has. */
type Registers = Uint32Array;

const FLAGS = slotOf('eflags');
const SEGMENT_SLOTS: readonly number[] = (['cs', 'ds', 'es', 'fs', 'gs', 'ss'] as const).map(slotOf);
const DOUBLE_SLOTS: readonly number[] = VECTOR_REGISTERS.map((_, slot) => slot);
const HEADER_BYTES = 8;

/** Whether bytes begin as a MOO file does. */
export const looksMoo = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x4d && bytes[1] === 0x4f && bytes[2] === 0x4f && bytes[3] === 0x20;

/**
 * The vectors of a MOO file (already unpacked), one after the other.
 * @throws UserError 'bad-vectors' where the file is cut off or a chunk lies
 */
export function* readMoo(bytes: Uint8Array, options: MooOptions): Generator<Vector> {
  if (!looksMoo(bytes)) throw new UserError('bad-vectors', 'This is no MOO file: it does not begin with "MOO ".');
  const file = new MooBytes(bytes);
  let chip = '';
  let mask: Registers | undefined;
  for (const chunk of file.chunks(0, bytes.length)) {
    if (chunk.name === 'MOO ') chip = file.text(chunk.start + 8, 4).trim();
    else if (chunk.name === 'RMSK' || chunk.name === 'RM32') mask = file.registers(chunk, allOnes());
    else if (chunk.name === 'TEST') yield readTest(file, chunk, {...options, chip, mask});
  }
}

interface FileFacts extends MooOptions {
  readonly chip: string;
  readonly mask: Registers | undefined;
}

function readTest(file: MooBytes, test: Chunk, facts: FileFacts): Vector {
  const parts = new Map<string, Chunk>();
  for (const chunk of file.chunks(test.start + 4, test.end)) parts.set(chunk.name, chunk);
  const init = parts.get('INIT');
  const final = parts.get('FINA');
  const index = file.number(test.start, 4);
  if (init === undefined || final === undefined)
    throw new UserError('bad-vectors', `Test ${index} of ${facts.form} lacks its INIT or its FINA chunk.`);
  const before = readState(file, init, new Uint32Array(VECTOR_REGISTERS.length));
  const after = readState(file, final, before.registers);
  const hash = parts.get('HASH');
  const name = parts.get('NAME');
  const code = parts.get('BYTS');
  const exception = parts.get('EXCP');
  return {
    form: facts.form,
    index,
    name: name === undefined ? '' : file.text(name.start + 4, file.number(name.start, 4)),
    bytes: code === undefined ? new Uint8Array(0) : file.bytes.subarray(code.start + 4, code.end),
    hash: hash === undefined ? '' : file.hex(hash),
    chip: facts.chip,
    width: before.width,
    before: before.registers,
    after: after.registers,
    mask: comparedBits(facts, before.width, after.mask),
    memoryBefore: before.memory,
    memoryAfter: after.memory,
    exception: exception === undefined ? undefined : file.number(exception.start, 1),
    kind: undefined,
  };
}

interface State {
  readonly width: 16 | 32;
  readonly registers: Registers;
  readonly mask: Registers | undefined;
  readonly memory: VectorMemory;
}

/** `unchanged` gives the registers that the chunk leaves out. */
function readState(file: MooBytes, state: Chunk, unchanged: Registers): State {
  let width: 16 | 32 = 16;
  let registers = unchanged;
  let mask: Registers | undefined;
  let memory: VectorMemory = [];
  for (const chunk of file.chunks(state.start, state.end)) {
    if (chunk.name === 'RG32') width = 32;
    if (chunk.name === 'REGS' || chunk.name === 'RG32') registers = file.registers(chunk, unchanged);
    else if (chunk.name === 'RMSK' || chunk.name === 'RM32') mask = file.registers(chunk, allOnes());
    else if (chunk.name === 'RAM ') memory = file.memory(chunk);
  }
  return {width, registers, mask, memory};
}

const allOnes = (): Registers => new Uint32Array(VECTOR_REGISTERS.length).fill(0xffff_ffff);

/** Every mask that applies, one upon the other; nothing for a register that the file does not have. */
function comparedBits(facts: FileFacts, width: 16 | 32, own: Registers | undefined): Registers {
  const bits = new Uint32Array(VECTOR_REGISTERS.length);
  for (const slot of width === 16 ? WORD_SLOTS : DOUBLE_SLOTS) {
    const whole = width === 16 || SEGMENT_SLOTS.includes(slot) ? 0xffff : 0xffff_ffff;
    bits[slot] = whole & (facts.mask?.[slot] ?? 0xffff_ffff) & (own?.[slot] ?? 0xffff_ffff);
  }
  // A collection's metadata speaks of the low 16 flags only.
  bits[FLAGS] = (bits[FLAGS] ?? 0) & ((facts.flagsMask ?? 0xffff) | 0xffff_0000);
  return bits;
}

/** The bytes of a file, read with checks. */
class MooBytes {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  *chunks(start: number, end: number): Generator<Chunk> {
    for (let at = start; at < end;) {
      const name = this.text(at, 4);
      const from = at + HEADER_BYTES;
      const to = from + this.number(at + 4, 4);
      if (to > end) throw new UserError('bad-vectors', `The chunk ${name} at byte ${at} ends behind what holds it.`);
      yield {name, start: from, end: to};
      at = to;
    }
  }

  number(at: number, bytes: 1 | 2 | 4): number {
    if (at + bytes > this.bytes.length) throw new UserError('bad-vectors', `The file is cut off at byte ${at}.`);
    if (bytes === 1) return this.#view.getUint8(at);
    return bytes === 2 ? this.#view.getUint16(at, true) : this.#view.getUint32(at, true);
  }

  text(at: number, length: number): string {
    let text = '';
    for (let i = 0; i < length; i++) text += String.fromCharCode(this.number(at + i, 1));
    return text;
  }

  hex(chunk: Chunk): string {
    let text = '';
    for (let at = chunk.start; at < chunk.end; at++) text += this.number(at, 1).toString(16).padStart(2, '0');
    return text;
  }

  /** A bit for each register that is there, then their values: words in REGS and RMSK, double words in RG32 and RM32. */
  registers({name, start}: Chunk, unchanged: Registers): Registers {
    const registers = unchanged.slice();
    const bytes = name.endsWith('32') ? 4 : 2;
    const slots = bytes === 4 ? DOUBLE_SLOTS : WORD_SLOTS;
    const present = this.number(start, bytes);
    let at = start + bytes;
    for (const [bit, slot] of slots.entries()) {
      if (((present >>> bit) & 1) === 0) continue;
      registers[slot] = this.number(at, bytes);
      at += bytes;
    }
    return registers;
  }

  memory({start}: Chunk): VectorMemory {
    const memory: number[] = [];
    const count = this.number(start, 4);
    for (let i = 0; i < count; i++) memory.push(this.number(start + 4 + 5 * i, 4), this.number(start + 8 + 5 * i, 1));
    return memory;
  }
}
