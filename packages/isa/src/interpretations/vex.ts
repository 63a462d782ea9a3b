// The three-byte VEX prefix, as far as general-purpose instructions use it (BMI1, BMI2). SDM vol. 2, "VEX Prefix".
//
//   C4  R̄ X̄ B̄ mmmmm  W v̄v̄v̄v̄ L pp  opcode
//
// Outside 64-bit mode the first bytes are LES unless the byte after C4 would be a ModR/M byte of a register.

import type {CodeSize, Prefixes} from '../instruction.js';
import type {OpcodePlace} from '../opcodes/unsupported.js';
import type {Cursor} from './cursor.js';
import {CANDIDATES} from './dispatch.js';

export interface VexPrefix {
  /** 1024 + 256 × opcode map + opcode. */
  readonly slot: number;
  readonly mandatory: OpcodePlace['prefix'];
  /** W, R, X and B as a REX byte would have them. */
  readonly rex: number;
  /** The register of the vvvv field; 0 where the field is 1111. */
  readonly register: number;
  /** L: 0 for every general-purpose instruction. */
  readonly length: number;
}

const MANDATORY = ['NP', 0x66, 0xf3, 0xf2] as const;

/** Of the prefix and the opcode. */
const LENGTH = 4;

/**
 * Reads the prefix and the opcode where the table has instructions there (or where bytes are missing); else undefined, and
 * nothing was read.
 */
export function readVex(cursor: Cursor, codeSize: CodeSize): VexPrefix | undefined {
  const at = (distance: number): number => cursor.at(cursor.length + distance);
  if (cursor.peek() !== 0xc4 || (codeSize !== 64 && at(1) < 0xc0)) return undefined;
  const [first, second, opcode] = [at(1), at(2), at(3)];
  const map = first & 31;
  if (map !== 2 && map !== 3) return undefined;
  const slot = 1024 + 256 * map + opcode;
  for (let count = 0; count < LENGTH; count++) cursor.byte();
  if (!cursor.overrun && (CANDIDATES[slot]?.length ?? 0) === 0) {
    cursor.length -= LENGTH;
    return undefined;
  }
  const isLong = codeSize === 64;
  return {
    slot,
    mandatory: MANDATORY[second & 3] ?? 'NP',
    rex: isLong ? 0x40 | ((second >> 4) & 8) | ((~first >> 5) & 7) : 0x40,
    register: (~second >> 3) & (isLong ? 15 : 7),
    length: (second >> 2) & 1,
  };
}

/** Prefixes that may not stand before VEX: LOCK, 66, F2, F3 and REX are #UD. */
export function mayPrecedeVex({lock, repeat, operandSize, rex}: Prefixes): boolean {
  return !lock && repeat === 'none' && !operandSize && rex === undefined;
}
