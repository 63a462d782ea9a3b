// The ModR/M byte, the SIB byte and the displacement: a register, or the parts of an address.
// SDM vol. 2, "ModR/M and SIB Bytes", tables of 16-bit and 32-bit addressing forms; "RIP-Relative Addressing".

import {assertExists} from '@hyperscope/base';
import type {CodeSize, MemoryOperand, Prefixes} from '../instruction.js';
import {GENERAL_REGISTERS} from '../registers/cells.js';
import type {GeneralRegister, SegmentRegister} from '../registers/cells.js';
import type {Cursor} from './cursor.js';
import {effectiveSegment} from './prefixes.js';

/** What ModR/M says, before the table line tells what its operands are. */
export interface ModRm {
  readonly reg: number;
  /** The register number in r/m, REX.B included. Meaningful where `memory` is undefined (or the line ignores mod). */
  readonly rm: number;
  readonly memory: Omit<MemoryOperand, 'width'> | undefined;
  readonly sibAt: number | undefined;
  readonly displacementAt: readonly [number, number] | undefined;
}

export interface AddressingContext {
  readonly codeSize: CodeSize;
  readonly addressSize: 16 | 32 | 64;
  readonly prefixes: Prefixes;
}

/** The general register of a number, 0 to 15. */
export function generalRegister(number: number): GeneralRegister {
  return assertExists(GENERAL_REGISTERS[number], `register number ${number}`);
}

const rexBit = (prefixes: Prefixes, bit: number): number => (((prefixes.rex ?? 0) >> bit) & 1) << 3;
const rexR = (prefixes: Prefixes): number => rexBit(prefixes, 2);
export const rexB = (prefixes: Prefixes): number => rexBit(prefixes, 0);
const rexX = (prefixes: Prefixes): number => rexBit(prefixes, 1);

/** Reads what follows a ModR/M byte that was read. `registerForm`: the line takes r/m as a register whatever mod says. */
export function readModRm(
  cursor: Cursor,
  byte: number,
  context: AddressingContext,
  form: 'registerForm' | 'anyForm',
): ModRm {
  const reg = ((byte >> 3) & 7) | rexR(context.prefixes);
  const rm = (byte & 7) | rexB(context.prefixes);
  if (byte >= 0xc0 || form === 'registerForm') {
    return {reg, rm, memory: undefined, sibAt: undefined, displacementAt: undefined};
  }
  const before = cursor.length;
  const parts = context.addressSize === 16 ? address16(byte) : address32(cursor, byte, context);
  const sibAt = cursor.length > before ? before : undefined;
  const displacementStart = cursor.length;
  const displacement = parts.displacementBits === 0 ? 0n : cursor.signed(parts.displacementBits);
  return {
    reg,
    rm,
    memory: {
      kind: 'memory',
      segment: effectiveSegment(context.prefixes, context.codeSize) ?? defaultSegment(parts.base),
      base: parts.base,
      index: parts.index,
      scale: parts.scale,
      displacement,
      addressSize: context.addressSize,
    },
    sibAt,
    displacementAt: parts.displacementBits === 0 ? undefined : [displacementStart, cursor.length],
  };
}

interface AddressParts {
  readonly base: GeneralRegister | 'RIP' | undefined;
  readonly index: GeneralRegister | undefined;
  readonly scale: 1 | 2 | 4 | 8;
  readonly displacementBits: 0 | 8 | 16 | 32;
}

const PAIRS: readonly (readonly [GeneralRegister, GeneralRegister | undefined])[] = [
  ['RBX', 'RSI'],
  ['RBX', 'RDI'],
  ['RBP', 'RSI'],
  ['RBP', 'RDI'],
  ['RSI', undefined],
  ['RDI', undefined],
  ['RBP', undefined],
  ['RBX', undefined],
];

function address16(byte: number): AddressParts {
  const mod = byte >> 6;
  if (mod === 0 && (byte & 7) === 6) return {base: undefined, index: undefined, scale: 1, displacementBits: 16};
  const [base, index] = assertExists(PAIRS[byte & 7], 'three bits');
  return {base, index, scale: 1, displacementBits: mod === 0 ? 0 : mod === 1 ? 8 : 16};
}

function address32(cursor: Cursor, byte: number, context: AddressingContext): AddressParts {
  const mod = byte >> 6;
  const displacementBits = mod === 0 ? 0 : mod === 1 ? 8 : 32;
  if ((byte & 7) === 4) return addressSib(cursor, mod, displacementBits, context);
  if (mod === 0 && (byte & 7) === 5) {
    return {base: context.codeSize === 64 ? 'RIP' : undefined, index: undefined, scale: 1, displacementBits: 32};
  }
  return {base: generalRegister((byte & 7) | rexB(context.prefixes)), index: undefined, scale: 1, displacementBits};
}

const SCALES = [1, 2, 4, 8] as const;

function addressSib(
  cursor: Cursor,
  mod: number,
  displacementBits: 0 | 8 | 32,
  context: AddressingContext,
): AddressParts {
  const sib = cursor.byte();
  const indexNumber = ((sib >> 3) & 7) | rexX(context.prefixes);
  const index = indexNumber === 4 ? undefined : generalRegister(indexNumber);
  const scale = SCALES[sib >> 6] ?? 1;
  if (mod === 0 && (sib & 7) === 5) return {base: undefined, index, scale, displacementBits: 32};
  return {base: generalRegister((sib & 7) | rexB(context.prefixes)), index, scale, displacementBits};
}

/** Addresses based on the stack pointer or the frame pointer are in the stack segment. */
function defaultSegment(base: GeneralRegister | 'RIP' | undefined): SegmentRegister {
  return base === 'RSP' || base === 'RBP' ? 'SS' : 'DS';
}
