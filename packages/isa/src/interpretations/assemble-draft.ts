// An instruction half encoded: which fields hold what, before there is an order of bytes.

import {GENERAL_REGISTERS, SEGMENT_REGISTERS, type GeneralRegister, type SegmentRegister} from '../registers/cells.js';
import type {AssemblyRegister, EncodeFailure} from './assemble-request.js';
import type {EncodedAddress} from './assemble-address.js';

export const REX_W = 8;
export const REX_R = 4;
export const REX_B = 1;

/** Filled operand by operand while a table line is tried; thrown away when an operand does not fit. */
export interface Draft {
  rex: number;
  /** SPL, BPL, SIL and DIL need a REX prefix even when it is empty. */
  needsRex: boolean;
  /** The operand that is AH, CH, DH or BH, which cannot be reached with REX. */
  highByte: number | undefined;
  low: number;
  reg: number;
  /** The r/m field when mod is 3. */
  rm: number | undefined;
  memory: EncodedAddress | undefined;
  /** VEX.vvvv. */
  vexRegister: number;
  segment: SegmentRegister | undefined;
  addressSize: 16 | 32 | 64 | undefined;
  readonly immediates: {readonly value: bigint; readonly bytes: number}[];
  /** A branch: where to, and in how many bytes. */
  target:
    | {readonly value: bigint; readonly bytes: number; readonly operand: number; readonly checked: boolean}
    | undefined;
  /** Whether an operand settles the operand size, so that it need not be the mode's own. */
  pinned: boolean;
  /** An operand in memory whose size was not written, and the size that this line gives it. */
  unsized: {readonly operand: number; readonly size: number} | undefined;
  /** A sign-extended imm8 was chosen for a longer immediate. */
  shortened: boolean;
  /** A 64-bit offset was asked for by its keyword, so that a shorter encoding is not what was meant. */
  longOffset: boolean;
}

export function emptyDraft(): Draft {
  return {
    rex: 0,
    needsRex: false,
    highByte: undefined,
    low: 0,
    reg: 0,
    rm: undefined,
    memory: undefined,
    vexRegister: 0,
    segment: undefined,
    addressSize: undefined,
    immediates: [],
    target: undefined,
    pinned: false,
    unsized: undefined,
    shortened: false,
    longOffset: false,
  };
}

export type Matched = 'yes' | EncodeFailure;

/** The number of a general register as encodings have it: AH is 4. */
function fieldOf(register: AssemblyRegister): number {
  return numberOf(register.register) + (register.high ? 4 : 0);
}

function numberOf(register: GeneralRegister): number {
  return GENERAL_REGISTERS.indexOf(register);
}

export function segmentNumber(register: SegmentRegister): number {
  return SEGMENT_REGISTERS.indexOf(register);
}

/** Puts a general register into a field. */
export function placeRegister(
  draft: Draft,
  field: 'reg' | 'rm' | 'low',
  register: AssemblyRegister,
  operand: number,
): void {
  const number = fieldOf(register);
  if (number >= 8) draft.rex |= field === 'reg' ? REX_R : REX_B;
  if (register.high) draft.highByte = operand;
  else if (register.width === 8 && number >= 4) draft.needsRex = true;
  draft[field] = number & 7;
}
