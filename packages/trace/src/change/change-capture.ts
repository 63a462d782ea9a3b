// Finds out what a step changed. Two ways, for two kinds of bank:
//   compared   small and written often (registers): a shadow copy is compared after each step
//   told       large (memory, devices): the machine says `willWrite` first, and the old bytes are kept until the step ends

import type {Bank} from '@hyperscope/machine';
import {CELLS, GENERAL_REGISTERS, cellIndex} from '@hyperscope/isa';
import {assert} from '@hyperscope/base';
import {ByteColumn} from '../record/growable-columns.js';
import {ChangeEncoder} from './change-encoder.js';
import {StateSpace} from './state-space.js';

/** Which registers a step can have changed: all, or general registers, RIP, RFLAGS and the counters. */
export type RegisterExtent = 'all' | 'general';

const COUNTERS = (['CYCLES', 'INSTRUCTIONS', 'TSC'] as const).map(cellIndex);
/** The second kind, as ranges of words of the register bank, in their order. */
const GENERAL_WORDS = [
  [0, 2 * Math.max(...[...GENERAL_REGISTERS, 'RIP', 'RFLAGS'].map(name => CELLS.findIndex(cell => cell === name))) + 2],
  [2 * Math.min(...COUNTERS), 2 * Math.max(...COUNTERS) + 2],
] as const;

/** A compared bank seen as 32-bit words: a comparison of words needs neither BigInt nor allocation. */
interface Shadow {
  readonly start: number;
  readonly words: Int32Array;
  readonly old: Int32Array;
}

interface Capture {
  readonly place: number;
  readonly length: number;
  /** Where the old bytes lie in the column of captured bytes. */
  readonly saved: number;
}

export class ChangeCapture {
  readonly space: StateSpace;
  readonly #banks: readonly Bank[];
  readonly #shadows: readonly Shadow[];
  readonly #compared: ReadonlySet<string>;
  readonly #saved = new ByteColumn(4096);
  readonly #captures: Capture[] = [];
  readonly #encoder: ChangeEncoder;

  /** `compared` names the banks of the first kind; they must come first and be whole numbers of 32-bit words. */
  constructor(banks: readonly Bank[], compared: readonly string[], out: ByteColumn) {
    this.space = StateSpace.of(banks);
    this.#banks = banks;
    this.#compared = new Set(compared);
    this.#encoder = new ChangeEncoder(out);
    this.#shadows = banks
      .filter(bank => this.#compared.has(bank.name))
      .map((bank): Shadow => {
        assert(
          bank.bytes.byteOffset % 4 === 0 && bank.bytes.length % 4 === 0,
          `bank ${bank.name} is not made of 32-bit words`,
        );
        const words = new Int32Array(bank.bytes.buffer, bank.bytes.byteOffset, bank.bytes.length / 4);
        return {start: this.space.place(bank.name, 0) ?? 0, words, old: words.slice()};
      });
  }

  /** Keeps the bytes that are about to change. Of a byte that changes twice in a step, the first old value counts. */
  willWrite(bank: string, offset: number, length: number): void {
    if (this.#compared.has(bank)) return;
    const index = this.space.indexOf(bank);
    const bytes = this.#banks[index]?.bytes;
    // The message is made only when it is needed: this runs for every write to memory.
    if (bytes === undefined || offset < 0 || offset + length > bytes.length)
      assert(false, `a write outside bank ${bank}`);
    this.#keep(this.space.starts[index] ?? 0, bytes, offset, offset + length, 0);
  }

  /**
   * Encodes what changed since the last call, as one change. `extent`: of the compared banks, only what an ordinary
   * instruction changes, where the caller knows that the step was one.
   */
  take(extent: RegisterExtent = 'all'): void {
    this.#encoder.begin();
    if (this.#captures.length > 1) this.#captures.sort((a, b) => a.place - b.place);
    let next = 0;
    for (const shadow of this.#shadows) {
      next = this.#emitCaptures(next, shadow.start);
      if (extent === 'general' && shadow.start === 0)
        for (const [from, to] of GENERAL_WORDS) this.#emitWords(shadow, from, to);
      else this.#emitShadow(shadow);
    }
    this.#emitCaptures(next, Number.POSITIVE_INFINITY);
    this.#encoder.end();
    if (this.#captures.length > 0) {
      this.#captures.length = 0;
      this.#saved.clear();
    }
  }

  /** Takes the state as it is: after a seek, what the banks hold now is no change. */
  resynchronise(): void {
    assert(this.#captures.length === 0, 'a seek in the middle of a step');
    for (const shadow of this.#shadows) shadow.old.set(shadow.words);
  }

  #keep(start: number, bytes: Uint8Array, from: number, to: number, known: number): void {
    for (let i = known; i < this.#captures.length && from < to; i++) {
      const capture = this.#captures[i];
      if (capture === undefined) break;
      const captured = capture.place - start;
      if (captured >= to || captured + capture.length <= from) continue;
      if (captured > from) this.#keep(start, bytes, from, captured, i + 1);
      from = captured + capture.length;
    }
    if (from >= to) return;
    this.#captures.push({place: start + from, length: to - from, saved: this.#saved.length});
    this.#saved.pushBytes(bytes, from, to);
  }

  #emitCaptures(next: number, before: number): number {
    for (; next < this.#captures.length; next++) {
      const capture = this.#captures[next];
      if (capture === undefined || capture.place >= before) break;
      const index = this.space.bankAt(capture.place);
      const bytes = this.#banks[index]?.bytes;
      const offset = capture.place - (this.space.starts[index] ?? 0);
      for (let i = 0; i < capture.length; i++) {
        this.#encoder.put(capture.place + i, (this.#saved.bytes[capture.saved + i] ?? 0) ^ (bytes?.[offset + i] ?? 0));
      }
    }
    return next;
  }

  /** Most words are as they were, so they are passed over eight at a time. */
  #emitShadow(shadow: Shadow): void {
    const {words: w, old: o} = shadow;
    const end = w.length;
    let i = 0;
    for (; i + 8 <= end; i += 8) {
      const differs =
        (at(w, i) ^ at(o, i)) |
        (at(w, i + 1) ^ at(o, i + 1)) |
        (at(w, i + 2) ^ at(o, i + 2)) |
        (at(w, i + 3) ^ at(o, i + 3)) |
        (at(w, i + 4) ^ at(o, i + 4)) |
        (at(w, i + 5) ^ at(o, i + 5)) |
        (at(w, i + 6) ^ at(o, i + 6)) |
        (at(w, i + 7) ^ at(o, i + 7));
      if (differs !== 0) this.#emitWords(shadow, i, i + 8);
    }
    this.#emitWords(shadow, i, end);
  }

  #emitWords({start, words, old}: Shadow, from: number, to: number): void {
    for (let word = from; word < to; word++) {
      let xor = at(words, word) ^ at(old, word);
      if (xor === 0) continue;
      for (let place = start + word * 4; xor !== 0; place++, xor >>>= 8) {
        if ((xor & 0xff) !== 0) this.#encoder.put(place, xor & 0xff);
      }
      old[word] = at(words, word);
    }
  }
}

const at = (words: Int32Array, index: number): number => words[index] ?? 0;
