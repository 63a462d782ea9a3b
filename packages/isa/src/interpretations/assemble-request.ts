// What an assembler asks the encoder for, and what it hears back: words for an instruction before it has bytes.
// Sizes are in bits. Nothing here knows NASM's grammar; what it knows is what a person can say about an operand.

import type {CodeSize} from '../instruction.js';
import type {OpcodeForm} from '../opcodes/form.js';
import type {GeneralRegister, SegmentRegister} from '../registers/cells.js';
import type {VectorRegister} from '../registers/vector-state.js';

/**
 * How much of a number is known, which decides whether a shorter encoding may be chosen for its value:
 *   constant   a number that no address takes part in
 *   local      an address in the section that is being assembled; final bytes depend on the layout
 *   elsewhere  an address in another section
 *   forward    not known in this pass: the shortest encoding is assumed, a later pass grows it
 */
export type Certainty = 'constant' | 'local' | 'elsewhere' | 'forward';

export interface AssemblyValue {
  readonly value: bigint;
  readonly certainty: Certainty;
}

export interface AssemblyRegister {
  readonly kind: 'register';
  readonly register: GeneralRegister;
  readonly width: 8 | 16 | 32 | 64;
  /** AH, CH, DH, BH. */
  readonly high: boolean;
}

/** One register of an address, in the order in which it was written. */
export interface AddressTerm {
  readonly register: GeneralRegister;
  readonly width: 16 | 32 | 64;
  readonly coefficient: bigint;
  /** Written with a multiplication (even by one), which asks for the index position. */
  readonly multiplied: boolean;
}

export interface AssemblyMemory {
  readonly kind: 'memory';
  /** The size keyword before the brackets: `word [x]`. */
  readonly size: number | undefined;
  readonly distance: 'near' | 'far' | undefined;
  readonly segment: SegmentRegister | undefined;
  readonly terms: readonly AddressTerm[];
  readonly displacement: AssemblyValue;
  /** The size keyword inside the brackets: `[byte ebx+1]`, `[dword 0x500]`. */
  readonly displacementSize: 8 | 16 | 32 | 64 | undefined;
  /** `relative`: to RIP, in 64-bit mode and when no register takes part. */
  readonly reference: 'relative' | 'absolute';
  /** `nosplit`: keep [eax*2] as a scaled index. */
  readonly split: 'allowed' | 'forbidden';
}

export interface AssemblyImmediate {
  readonly kind: 'immediate';
  readonly value: bigint;
  readonly certainty: Certainty;
  readonly size: number | undefined;
  /** `strict`: the size that was written is the size that is encoded. */
  readonly strict: boolean;
  readonly distance: 'short' | 'near' | 'far' | undefined;
}

export interface AssemblyFarPointer {
  readonly kind: 'far';
  readonly selector: AssemblyValue;
  readonly offset: AssemblyValue;
  readonly size: number | undefined;
}

export type AssemblyOperand =
  | AssemblyRegister
  | AssemblyMemory
  | AssemblyImmediate
  | AssemblyFarPointer
  | {readonly kind: 'segment'; readonly register: SegmentRegister}
  | {readonly kind: 'vector'; readonly register: VectorRegister}
  | {readonly kind: 'control'; readonly number: number}
  | {readonly kind: 'debug'; readonly number: number};

export interface RequestedPrefixes {
  readonly lock: boolean;
  readonly repeat: 'none' | 'rep' | 'repne';
  readonly segment: SegmentRegister | undefined;
  /** o16, o32, o64. */
  readonly operandSize: 16 | 32 | 64 | undefined;
  /** a16, a32, a64. */
  readonly addressSize: 16 | 32 | 64 | undefined;
}

export const NO_PREFIXES: RequestedPrefixes = {
  lock: false,
  repeat: 'none',
  segment: undefined,
  operandSize: undefined,
  addressSize: undefined,
};

export interface EncodeRequest {
  /** In any case: `mov`, `JNZ`. */
  readonly mnemonic: string;
  readonly operands: readonly AssemblyOperand[];
  readonly prefixes: RequestedPrefixes;
  readonly codeSize: CodeSize;
  /** Where the first byte will be; branches and RIP-relative addresses count from it. */
  readonly address: bigint;
}

/** Why there are no bytes. `operand` is an index into the request's operands. */
export type EncodeFailure =
  | {readonly reason: 'unknown-mnemonic'; readonly mnemonic: string; readonly nearest: readonly string[]}
  /** No line of the table takes these operands; `accepted` are the syntaxes that there are. */
  | {readonly reason: 'no-such-form'; readonly mnemonic: string; readonly accepted: readonly string[]}
  | {readonly reason: 'size-not-specified'; readonly operand: number; readonly sizes: readonly number[]}
  | {readonly reason: 'size-mismatch'; readonly operand: number; readonly written: number; readonly needed: number}
  | {
      readonly reason: 'out-of-range';
      readonly operand: number;
      readonly value: bigint;
      readonly low: bigint;
      readonly high: bigint;
    }
  | {readonly reason: 'branch-too-far'; readonly operand: number; readonly distance: bigint; readonly reach: bigint}
  | {readonly reason: 'not-in-mode'; readonly codeSize: CodeSize; readonly modes: readonly CodeSize[]}
  | {readonly reason: 'invalid-address'; readonly operand: number; readonly why: string}
  | {readonly reason: 'needs-64-bit-mode'; readonly operand: number}
  | {readonly reason: 'high-byte-with-rex'; readonly operand: number}
  | {readonly reason: 'invalid-prefix'; readonly prefix: string; readonly why: string};

/** The instruction was encoded, but the processor refuses it. */
export interface EncodeWarning {
  readonly warning: 'lock-without-effect';
  readonly mnemonic: string;
}

export type EncodeResult =
  | {
      readonly ok: true;
      readonly bytes: Uint8Array;
      /** The line of the opcode table that was chosen. */
      readonly form: OpcodeForm;
      /** `here`: the bytes depend on `address`, so they may not be reused at another one. */
      readonly depends: 'nothing' | 'here';
      readonly warnings: readonly EncodeWarning[];
    }
  | {readonly ok: false; readonly failure: EncodeFailure};
