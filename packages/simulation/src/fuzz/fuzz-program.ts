// A program of the fuzzer, and what is left when it has ended: the same for every machine that can run one.

import type {Cell} from '@hyperscope/isa';
import {FUZZ_LAYOUT, FUZZ_MODES, startOf} from './fuzz-image.js';
import type {FuzzMode, FuzzState} from './fuzz-image.js';

export interface FuzzProgram {
  readonly mode: FuzzMode;
  /** One instruction each, or bytes that are jumped over, in order. */
  readonly pieces: readonly Uint8Array[];
  /** What differs from the mode's own start: general registers and RFLAGS. */
  readonly registers: Readonly<Partial<Record<Cell, bigint>>>;
}

/** Why a program is over. */
export type FuzzEnding =
  /** The handler of a vector has halted. A program that runs to its end does so too: HLT, or #BP in ring 3. */
  | {readonly kind: 'handler'; readonly vector: number}
  | {readonly kind: 'halted'}
  /** A triple fault. */
  | {readonly kind: 'shutdown'}
  /** Not at an end in time. */
  | {readonly kind: 'endless'}
  /** Something that no processor does: an instruction that is not simulated, an internal error of KVM. */
  | {readonly kind: 'stopped'; readonly why: string};

export interface FuzzOutcome {
  readonly ending: FuzzEnding;
  /** In the order of isa's CELLS. */
  readonly cells: BigUint64Array;
  /** From address 0 to FUZZ_LAYOUT.end. */
  readonly memory: Uint8Array;
}

/** A machine that runs programs. The outcome's arrays may be reused by the next run. */
export interface FuzzTarget {
  run(program: FuzzProgram): FuzzOutcome;
}

const HLT = 0xf4;
const INT3 = 0xcc;

/** The code of a program: its pieces and what ends it. */
export function codeOf({mode, pieces}: FuzzProgram): Uint8Array {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const code = new Uint8Array(length + 1);
  let at = 0;
  for (const piece of pieces) {
    code.set(piece, at);
    at += piece.length;
  }
  code[at] = FUZZ_MODES[mode].cpl === 3 ? INT3 : HLT;
  return code;
}

/** Memory and registers with which any machine starts a program. */
export function stateOf(program: FuzzProgram, starts: FuzzStarts): FuzzState {
  const start = starts.of(program.mode);
  const memory = starts.scratch;
  memory.set(start.memory);
  memory.set(codeOf(program), FUZZ_LAYOUT.code);
  return {memory, registers: {...start.registers, ...program.registers}};
}

/** The start of each mode, made once. */
export class FuzzStarts {
  /** Memory that stateOf fills anew for each program. */
  readonly scratch = new Uint8Array(FUZZ_LAYOUT.end);
  readonly #states = new Map<FuzzMode, FuzzState>();

  of(mode: FuzzMode): FuzzState {
    const known = this.#states.get(mode);
    if (known !== undefined) return known;
    const state = startOf(mode);
    this.#states.set(mode, state);
    return state;
  }
}
