// Where compiled microcode finds its operands: registers, constants and intermediate values lie in one Int32Array, so that
// an operand of whatever kind is the index of a word, and one closure serves for all kinds.
//
//   0 … 2 × cells − 1   the register file: cell i is words 2 i (low half) and 2 i + 1
//   then                constants, each once
//   at the end          intermediate values of the instruction that runs; none lives longer

import {CELLS} from '@hyperscope/isa';
import type {RegisterFile} from '../../cpu/register-file.js';

/** Room for intermediate values, in words: more than any instruction but a deeply nested ENTER has. */
const TEMPORARIES = 512;

export class Frame {
  readonly words: Int32Array;
  readonly #constants = new Map<number, number>();
  #nextConstant = 2 * CELLS.length;
  /** Words from here on hold intermediate values. */
  readonly firstTemporary: number;
  #nextTemporary: number;

  constructor(registers: RegisterFile) {
    this.words = registers.frame;
    this.firstTemporary = this.words.length - TEMPORARIES;
    this.#nextTemporary = this.firstTemporary;
  }

  /** The word that holds a constant, as int32; undefined when there is no room for another one. */
  constant(value: number): number | undefined {
    const known = this.#constants.get(value | 0);
    if (known !== undefined) return known;
    if (this.#nextConstant === this.firstTemporary) return undefined;
    const index = this.#nextConstant++;
    this.words[index] = value;
    this.#constants.set(value | 0, index);
    return index;
  }

  /** Whether the next instruction might not find room for its constants. */
  get isFull(): boolean {
    return this.#nextConstant + TEMPORARIES > this.firstTemporary;
  }

  /** Two words for a value of the instruction that is being compiled; undefined when it has too many. */
  temporary(): number | undefined {
    if (this.#nextTemporary + 2 > this.words.length) return undefined;
    const index = this.#nextTemporary;
    this.#nextTemporary += 2;
    return index;
  }
  /** The next instruction may use all intermediate words again. */
  releaseTemporaries(): void {
    this.#nextTemporary = this.firstTemporary;
  }

  /** Forgets all constants: only when everything that was compiled is thrown away. */
  clear(): void {
    this.#constants.clear();
    this.#nextConstant = 2 * CELLS.length;
  }
}
