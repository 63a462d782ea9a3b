// Why a vector that comes out differently is no fault of the simulator: where generations of the processor differ, or
// where something is not simulated. Rules speak of instructions, never of single vectors, and each has its reason.
// A vector that its keepers found to hold on modern processors too (kind 'modern') is excused by none of them.

import {slotOf} from './vector.js';
import type {Vector} from './vector.js';

export interface ExclusionRule {
  readonly id: string;
  readonly reason: string;
  applies(vector: Vector, instruction: Anatomy): boolean;
}

/** What the rules ask of an instruction's bytes. */
export interface Anatomy {
  readonly prefixes: ReadonlySet<number>;
  /** The first byte behind the prefixes; 0 where there is none. */
  readonly opcode: number;
  /** The byte behind the opcode: ModR/M, or where the instruction has none what comes next. */
  readonly modrm: number;
  /** Bytes without the HLT behind it. */
  readonly length: number;
}

const PREFIXES: ReadonlySet<number> = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);
const HLT = 0xf4;
const LOCK = 0xf0;
const DIVIDE_ERROR = 0;
const INVALID_OPCODE = 6;
const GENERAL_PROTECTION = 13;

const reg = (modrm: number): number => (modrm >> 3) & 7;
const isRegister = (modrm: number): boolean => modrm >= 0xc0;
const before386 = (chip: string): boolean => !chip.startsWith('386');
/** POP, RET, LEAVE, POPA, POPF and IRET: what reads the stack. */
const POPS: ReadonlySet<number> = new Set([
  0x07, 0x17, 0x1f, 0x58, 0x59, 0x5a, 0x5b, 0x5c, 0x5d, 0x5e, 0x5f, 0x61, 0x8f, 0x9d, 0xc2, 0xc3, 0xc9, 0xca, 0xcb, 0xcf,
]);
const isString = (opcode: number): boolean =>
  (opcode >= 0x6c && opcode <= 0x6f) || (opcode >= 0xa4 && opcode <= 0xa7) || (opcode >= 0xaa && opcode <= 0xaf);

const EAX = slotOf('eax');
/** AX after the division that lost its partial remainder: AL 80h, in AH the seven bits that were left, with their sign. */
function undividedAnswer(ax: number): number {
  const dividend = (ax << 16) >> 16;
  const left = Math.abs(dividend) & 0x7f;
  return (((dividend < 0 ? -left : left) & 0xff) << 8) | 0x80;
}

export const EXCLUSION_RULES: readonly ExclusionRule[] = [
  {
    id: 'x87',
    reason: 'ESC instructions: the chip was alone, without a coprocessor, and Hyperscope simulates no x87 arithmetic.',
    applies: (_vector, {opcode}) => opcode >= 0xd8 && opcode <= 0xdf,
  },
  {
    id: 'lock',
    reason: 'LOCK before an instruction that cannot be locked: up to the 286 it is taken, from the 386 on it is #UD.',
    applies: ({chip, exception}, {prefixes, opcode, modrm}) =>
      before386(chip) && prefixes.has(LOCK) && exception !== INVALID_OPCODE && !isLockable(opcode, modrm),
  },
  {
    id: 'length',
    reason: 'More than 10 bytes: a 286 raises #GP; later processors take up to 15.',
    applies: ({chip, exception}, {length}) => chip === 'C286' && exception === GENERAL_PROTECTION && length > 10,
  },
  {
    id: 'fs-gs',
    reason: 'MOV with segment register 4 or 5: undefined in a 286; from the 386 on they are FS and GS.',
    applies: ({chip, exception}, {opcode, modrm}) =>
      before386(chip) &&
      exception === INVALID_OPCODE &&
      (opcode === 0x8c || opcode === 0x8e) &&
      (reg(modrm) === 4 || reg(modrm) === 5),
  },
  {
    id: 'aam-zero',
    reason: 'AAM 0 raises #DE: a 286 has changed SF, ZF and PF by then, later processors push the flags as they were.',
    applies: ({chip, exception}, {opcode, modrm}) =>
      chip === 'C286' && exception === DIVIDE_ERROR && opcode === 0xd4 && modrm === 0,
  },
  {
    id: 'idiv-lost-bit',
    reason:
      'IDIV of a byte whose quotient does not fit: where the first partial remainder, |AX| / 128 less the divisor, is ' +
      'exactly 80h, a 286 loses it and answers 80h (AH: what it has not divided yet) instead of #DE.',
    applies: ({chip, exception, before, after}, {opcode, modrm}) =>
      chip === 'C286' &&
      exception === undefined &&
      opcode === 0xf6 &&
      reg(modrm) === 7 &&
      (after[EAX] ?? 0) === undividedAnswer(before[EAX] ?? 0),
  },
  {
    id: 'stack-wrap',
    reason: 'A word of the stack segment across offset FFFFh: a 286 raises #GP (13), later processors #SS (12).',
    applies: ({chip, exception}, instruction) =>
      chip === 'C286' &&
      exception === GENERAL_PROTECTION &&
      (POPS.has(instruction.opcode) || isInStackSegment(instruction)),
  },
  {
    id: 'string-fault',
    reason: 'A string instruction that faults: a 286 has moved SI, DI and CX already, later processors restore them.',
    applies: ({chip, exception}, {opcode}) =>
      chip === 'C286' && exception === GENERAL_PROTECTION && isString(opcode),
  },
];

/** The rule that excuses a vector which did not come out right; undefined when none does. */
export function exclusionOf(vector: Vector): ExclusionRule | undefined {
  if (vector.kind === 'modern') return undefined;
  const instruction = anatomyOf(vector.bytes);
  return EXCLUSION_RULES.find(rule => rule.applies(vector, instruction));
}

export function anatomyOf(bytes: Uint8Array): Anatomy {
  const prefixes = new Set<number>();
  let at = 0;
  while (at < bytes.length && PREFIXES.has(bytes[at] ?? 0)) prefixes.add(bytes[at++] ?? 0);
  const length = bytes.at(-1) === HLT && bytes.length > at + 1 ? bytes.length - 1 : bytes.length;
  return {prefixes, opcode: bytes[at] ?? 0, modrm: bytes[at + 1] ?? 0, length};
}

/** Whether a 16-bit memory operand lies in SS: by a prefix, or because its address has BP in it. */
function isInStackSegment({prefixes, modrm}: Anatomy): boolean {
  if (prefixes.has(0x36)) return true;
  if (isRegister(modrm) || [0x26, 0x2e, 0x3e].some(prefix => prefixes.has(prefix))) return false;
  const base = modrm & 7;
  return base === 2 || base === 3 || (base === 6 && modrm >= 0x40);
}

/** Whether LOCK may stand before it: SDM vol. 2, "LOCK—Assert LOCK# Signal Prefix"; one-byte opcodes only. */
function isLockable(opcode: number, modrm: number): boolean {
  if (isRegister(modrm)) return false;
  // ADD, OR, ADC, SBB, AND, SUB and XOR of a register to memory; not CMP.
  if (opcode < 0x38) return (opcode & 7) < 2;
  if (opcode >= 0x80 && opcode <= 0x83) return reg(modrm) !== 7;
  if (opcode === 0x86 || opcode === 0x87) return true;
  if (opcode === 0xf6 || opcode === 0xf7) return reg(modrm) === 2 || reg(modrm) === 3;
  return (opcode === 0xfe || opcode === 0xff) && reg(modrm) < 2;
}
