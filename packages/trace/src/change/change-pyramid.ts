// The changes of all steps, and above them the compositions of every 64 steps, of every 64 of those, and so on.
// A seek takes the widest blocks that fit: in a history of a million steps it applies about four hundred changes at the most.
// measured (seek.bench.ts, busy machine): a seek to anywhere in a million steps takes 39 ms with 1024, and 2 to 7 with 64.

import type {Bank} from '@hyperscope/machine';
import {ByteColumn, NumberColumn} from '../record/growable-columns.js';
import {ChangeAccumulator} from './change-accumulator.js';
import {ChangeReader, applyChange, changeTouches} from './change.js';
import type {Touched} from './change.js';
import type {StateSpace} from './state-space.js';

/** Steps of a block of the first level, and blocks of one level that make one of the next. */
const FAN = 64;

export class ChangePyramid {
  /** Encoded changes of the steps, one after another. */
  readonly bytes: ByteColumn = new ByteColumn(1 << 16);
  /** Where the change of each step ends in `bytes`. */
  readonly ends: NumberColumn = new NumberColumn(1 << 10);
  readonly #levels: Uint8Array[][] = [];
  readonly #accumulator = new ChangeAccumulator();
  readonly #reader = new ChangeReader();
  #blockBytes = 0;

  get length(): number {
    return this.ends.length;
  }

  /** Bytes of memory, with the room for growth. */
  get memoryBytes(): number {
    return this.bytes.memoryBytes + this.ends.memoryBytes + this.#blockBytes;
  }

  /** Whether a step wrote the byte at `place`. */
  touches(step: number, place: number): boolean {
    return changeTouches(this.#reader, this.bytes.bytes, this.#start(step), this.ends.at(step), place);
  }

  /** Closes the step whose change was just appended to `bytes`. */
  push(): void {
    this.ends.push(this.bytes.length);
    if (this.length % FAN !== 0) return;
    for (let step = this.length - FAN; step < this.length; step++)
      this.#accumulator.add(this.bytes.bytes, this.#start(step), this.ends.at(step));
    this.#pushBlock(0, this.#accumulator.take());
  }

  /** Carries the banks from state `from` to state `to`. */
  seek(space: StateSpace, banks: readonly Bank[], from: number, to: number, touched?: Touched): void {
    let at = from;
    while (at !== to) {
      const forward = at < to;
      const level = this.#widest(at, Math.abs(to - at), forward);
      const size = FAN ** level;
      const first = forward ? at : at - size;
      if (level === 0)
        applyChange(this.#reader, this.bytes.bytes, this.#start(first), this.ends.at(first), space, banks, touched);
      else {
        const block = this.#levels[level - 1]?.[first / size] ?? new Uint8Array(0);
        applyChange(this.#reader, block, 0, block.length, space, banks, touched);
      }
      at += forward ? size : -size;
    }
  }

  /** Calls `run` for each stretch of bytes that a step wrote. */
  runsOf(step: number, run: (place: number, length: number) => void): void {
    this.#reader.start(this.bytes.bytes, this.#start(step), this.ends.at(step));
    while (this.#reader.next()) run(this.#reader.place, this.#reader.length);
  }

  /** The last step before state `before` that wrote the byte at `place`; undefined where none did. */
  lastWriter(place: number, before: number): number | undefined {
    let step = Math.min(before, this.length);
    while (step > 0) {
      const level = this.#widest(step, step, false);
      if (level > 0 && !this.#blockTouches(level, step / FAN ** level - 1, place)) {
        step -= FAN ** level;
        continue;
      }
      const found = this.#searchInside(level, step, place);
      if (found !== undefined) return found;
      step -= FAN ** level;
    }
    return undefined;
  }

  #searchInside(level: number, end: number, place: number): number | undefined {
    if (level === 0) {
      const step = end - 1;
      return changeTouches(this.#reader, this.bytes.bytes, this.#start(step), this.ends.at(step), place)
        ? step
        : undefined;
    }
    const size = FAN ** (level - 1);
    for (let at = end; at > end - size * FAN; at -= size) {
      if (level > 1 && !this.#blockTouches(level - 1, at / size - 1, place)) continue;
      const found = this.#searchInside(level - 1, at, place);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #blockTouches(level: number, index: number, place: number): boolean {
    const block = this.#levels[level - 1]?.[index];
    return block !== undefined && changeTouches(this.#reader, block, 0, block.length, place);
  }

  /** The level of the widest block that starts (or ends) at `at` and is no longer than `distance`. */
  #widest(at: number, distance: number, forward: boolean): number {
    let level = 0;
    for (let size = FAN; size <= distance && at % size === 0; size *= FAN) {
      const index = forward ? at / size : at / size - 1;
      if (index >= (this.#levels[level]?.length ?? 0)) break;
      level++;
    }
    return level;
  }

  #pushBlock(level: number, block: Uint8Array): void {
    const blocks = (this.#levels[level] ??= []);
    blocks.push(block);
    this.#blockBytes += block.length;
    if (blocks.length % FAN !== 0) return;
    for (const part of blocks.slice(-FAN)) this.#accumulator.add(part, 0, part.length);
    this.#pushBlock(level + 1, this.#accumulator.take());
  }

  #start(step: number): number {
    return step === 0 ? 0 : this.ends.at(step - 1);
  }
}
