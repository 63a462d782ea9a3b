// A decoded instruction: everything that the bytes and the code size decide, and nothing that the running guest does.
// Semantics may branch on any of it; guest values, in contrast, are opaque (microcode/value.ts).

import type {GeneralRegister, SegmentRegister} from './registers/cells.js';
import type {VectorRegister} from './registers/vector-state.js';
import type {OpcodeForm} from './opcodes/form.js';

/** Code size: 16, 32, or 64 for 64-bit mode. Compatibility mode is 16 or 32. */
export type CodeSize = 16 | 32 | 64;
export type OperandSize = 8 | 16 | 32 | 64;

/** A condition code, by its number in the low four bits of Jcc, SETcc and CMOVcc opcodes. */
export const CONDITIONS = [
  'O',
  'NO',
  'B',
  'NB',
  'Z',
  'NZ',
  'BE',
  'NBE',
  'S',
  'NS',
  'P',
  'NP',
  'L',
  'NL',
  'LE',
  'NLE',
] as const;
export type Condition = (typeof CONDITIONS)[number];

export interface RegisterOperand {
  readonly kind: 'register';
  readonly register: GeneralRegister;
  readonly width: OperandSize;
  /** AH, CH, DH, BH: bits 15:8 of RAX, RCX, RDX, RBX. */
  readonly high: boolean;
}
export interface MemoryOperand {
  readonly kind: 'memory';
  /** The segment after defaults and prefixes were applied. */
  readonly segment: SegmentRegister;
  /** 'RIP' is the address of the next instruction. */
  readonly base: GeneralRegister | 'RIP' | undefined;
  readonly index: GeneralRegister | undefined;
  readonly scale: 1 | 2 | 4 | 8;
  /** Sign-extended displacement, as a signed number. */
  readonly displacement: bigint;
  readonly addressSize: 16 | 32 | 64;
  /** Bits accessed; 0 where the instruction only takes the address (LEA, INVLPG) or has a width of its own (LGDT). */
  readonly width: number;
}
export interface ImmediateOperand {
  readonly kind: 'immediate';
  /** Unsigned, already sign-extended to `width` where the encoding says so. */
  readonly value: bigint;
  readonly width: OperandSize;
}
export type Operand =
  | RegisterOperand
  | MemoryOperand
  | ImmediateOperand
  | {readonly kind: 'segment'; readonly register: SegmentRegister}
  | {readonly kind: 'vector'; readonly register: VectorRegister}
  | {readonly kind: 'control'; readonly number: number}
  | {readonly kind: 'debug'; readonly number: number}
  /** A branch distance from the next instruction, signed. */
  | {readonly kind: 'relative'; readonly displacement: bigint; readonly width: 8 | 16 | 32}
  /** ptr16:16 and ptr16:32. */
  | {readonly kind: 'far'; readonly selector: number; readonly offset: bigint; readonly width: 16 | 32};

export interface Prefixes {
  readonly lock: boolean;
  readonly repeat: 'none' | 'rep' | 'repne';
  /** A segment-override prefix, where one was given (even when it has no effect). */
  readonly segment: SegmentRegister | undefined;
  /** 66h was present. */
  readonly operandSize: boolean;
  /** 67h was present. */
  readonly addressSize: boolean;
  /** The REX byte, 0x40 to 0x4f, where there was one. */
  readonly rex: number | undefined;
}

/** Which bytes of an instruction are what, as half-open ranges [start, end); for showing an encoding piece by piece. */
export interface EncodingParts {
  readonly prefixes: readonly [number, number];
  readonly opcode: readonly [number, number];
  readonly modrm: number | undefined;
  readonly sib: number | undefined;
  readonly displacement: readonly [number, number] | undefined;
  readonly immediate: readonly [number, number] | undefined;
}

export interface Instruction {
  /** The line of the opcode table. */
  readonly form: OpcodeForm;
  /** The mnemonic with the condition filled in: 'JNZ'. */
  readonly mnemonic: string;
  readonly bytes: Uint8Array;
  readonly codeSize: CodeSize;
  /** Effective operand size: 16, 32 or 64; 8 for byte forms. */
  readonly width: OperandSize;
  readonly addressSize: 16 | 32 | 64;
  /** In the order of the table line (Intel order: destination first). */
  readonly operands: readonly Operand[];
  readonly condition: Condition | undefined;
  readonly prefixes: Prefixes;
  readonly parts: EncodingParts;
}
