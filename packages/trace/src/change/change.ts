// A change: which bytes of the state differ between two moments, XORed. A change is its own inverse, and two changes
// that follow each other compose into one.
//
//   change   run*
//   run      gap (varint), length (varint, at least 1), length × XOR byte
//            gap: from the end of the previous run, or from place 0
//
// A byte that was written with the value it already had is kept, as XOR 0: "who wrote this last" must find it.

import type {Bank} from '@hyperscope/machine';
import type {StateSpace} from './state-space.js';

/** Called for each run that was applied, with the bank's name and the place inside it. */
export type Touched = (bank: string, offset: number, length: number) => void;

/** Reads the runs of an encoded change one after another, without allocating. */
export class ChangeReader {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  /** The run that `next` found: place in the state, length, and where its XOR bytes start in `bytes`. */
  place = 0;
  length = 0;
  dataStart = 0;
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  start(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.place = 0;
    this.length = 0;
  }
  /** Moves to the next run; false at the end. Bytes that end inside a run give `length` beyond the end: see `isWellFormed`. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    this.place += this.length + this.#varint();
    this.length = this.#varint();
    this.dataStart = this.#at;
    this.#at += this.length;
    return true;
  }
  /** Whether the last run lies inside the bytes given to `start`. */
  get inside(): boolean {
    return this.#at <= this.#end && this.length > 0;
  }

  #varint(): number {
    let byte = this.#bytes[this.#at++] ?? 0;
    let value = byte & 0x7f;
    let scale = 0x80;
    while (byte >= 0x80 && this.#at < this.#end && scale < 2 ** 53) {
      byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
    }
    return value;
  }
}

/** Applies the change in bytes[start, end) to the banks of `space`: forwards or backwards, it is the same. */
export function applyChange(
  reader: ChangeReader,
  bytes: Uint8Array,
  start: number,
  end: number,
  space: StateSpace,
  banks: readonly Bank[],
  touched?: Touched,
): void {
  reader.start(bytes, start, end);
  while (reader.next()) {
    let {place, length, dataStart} = reader;
    // A run may cross from one bank into the next.
    while (length > 0) {
      const index = space.bankAt(place);
      const bank = banks[index];
      if (bank === undefined) return;
      const offset = place - (space.starts[index] ?? 0);
      const here = Math.min(length, bank.bytes.length - offset);
      if (here <= 0) return;
      for (let i = 0; i < here; i++)
        bank.bytes[offset + i] = (bank.bytes[offset + i] ?? 0) ^ (bytes[dataStart + i] ?? 0);
      touched?.(bank.name, offset, here);
      place += here;
      dataStart += here;
      length -= here;
    }
  }
}

/** The change that undoes a change: itself, since XOR is its own inverse. */
export const invertChange = (change: Uint8Array): Uint8Array => change;

/** Whether bytes[start, end) is a change of a state of `size` bytes: for bytes that come from a file. */
export function isWellFormed(
  reader: ChangeReader,
  bytes: Uint8Array,
  start: number,
  end: number,
  size: number,
): boolean {
  reader.start(bytes, start, end);
  while (reader.next()) if (!reader.inside || reader.place + reader.length > size) return false;
  return true;
}

/** Whether a change writes the byte at `place`. */
export function changeTouches(
  reader: ChangeReader,
  bytes: Uint8Array,
  start: number,
  end: number,
  place: number,
): boolean {
  reader.start(bytes, start, end);
  while (reader.next()) {
    if (reader.place > place) return false;
    if (place < reader.place + reader.length) return true;
  }
  return false;
}
