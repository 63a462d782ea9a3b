// Lines of code that were made before. While a guest plays the same instructions are shown again and again: one whose bytes,
// code size and exits are as they were is not decoded, classified and written a second time.

import {hexBytes} from '@hyperscope/base';
import {decode, disassemble} from '@hyperscope/isa';
import type {Instruction} from '@hyperscope/isa';
import type {CodeLine} from '@hyperscope/trace';
import {chipsOf} from './chips.js';

const CODE_SIZES = [16, 32, 64] as const;
export type CodeSize = (typeof CODE_SIZES)[number];

/** What a line is made from, beside the bytes. */
export interface LineFacts {
  /** The code size that the processor has now. */
  readonly now: CodeSize;
  /** The length that the assembler gave the instruction; it tells the code size where that is another one. */
  readonly length: number | undefined;
  readonly sourceLine: number | undefined;
  /** How often it left the guest, in words. */
  readonly exits: string | undefined;
  /** Whether the guest runs under VT-x, which some instructions always leave. */
  readonly vtx: boolean;
}

export interface KnownLine {
  readonly instruction: Instruction;
  readonly line: CodeLine;
}

export class KnownLines {
  readonly #lines = new Map<bigint, KnownLine & {readonly facts: LineFacts}>();

  /** The line of the instruction at `offset` of `bytes`, which is at `address`; undefined where the bytes are none. */
  at(address: bigint, bytes: Uint8Array, offset: number, facts: LineFacts): KnownLine | undefined {
    const known = this.#lines.get(address);
    if (known !== undefined && isSame(known.facts, facts) && isThere(known.instruction.bytes, bytes, offset))
      return known;
    const instruction = instructionAt(bytes, offset, facts);
    if (instruction === undefined) return undefined;
    const made = {instruction, facts, line: lineOf(instruction, address, facts)};
    this.#lines.set(address, made);
    return made;
  }
}

const isSame = (a: LineFacts, b: LineFacts): boolean =>
  a.now === b.now && a.length === b.length && a.exits === b.exits && a.sourceLine === b.sourceLine && a.vtx === b.vtx;

const isThere = (wanted: Uint8Array, bytes: Uint8Array, offset: number): boolean =>
  wanted.every((byte, at) => bytes[offset + at] === byte);

function lineOf(instruction: Instruction, address: bigint, {sourceLine, exits, vtx}: LineFacts): CodeLine {
  return {
    address,
    text: disassemble(instruction, address),
    bytes: hexBytes(instruction.bytes, '').toUpperCase(),
    sourceLine,
    chips: chipsOf(instruction, {exits, vtx}),
  };
}

/** As the processor would read it now; where the assembler made another length of it, in the code size in which that comes out. */
function instructionAt(bytes: Uint8Array, offset: number, {now, length}: LineFacts): Instruction | undefined {
  for (const size of length === undefined ? [now] : [now, ...CODE_SIZES]) {
    const decoded = decode(bytes, size, offset);
    if (decoded.kind === 'instruction' && (length === undefined || decoded.instruction.bytes.length === length))
      return decoded.instruction;
  }
  if (length === undefined) return undefined;
  const decoded = decode(bytes, now, offset);
  return decoded.kind === 'instruction' ? decoded.instruction : undefined;
}
