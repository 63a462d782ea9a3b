// Composes changes: the XOR of all of them, byte by byte, over every byte that any of them wrote.
// Bytes are gathered in chunks of 64, so that a thousand small changes cost a thousand small additions and one sort.

import {ByteColumn} from '../record/growable-columns.js';
import {ChangeEncoder} from './change-encoder.js';
import {ChangeReader} from './change.js';

const CHUNK = 64;
/** Chunks whose slot is found without the map, a power of two: those that steps write again and again. */
const RECENT = 256;

export class ChangeAccumulator {
  readonly #reader = new ChangeReader();
  readonly #slots = new Map<number, number>();
  readonly #recentChunks = new Float64Array(RECENT).fill(-1);
  readonly #recentSlots = new Int32Array(RECENT);
  #xor = new Uint8Array(64 * CHUNK);
  #written = new Uint8Array(64 * CHUNK);

  /** Adds the change in bytes[start, end). */
  add(bytes: Uint8Array, start: number, end: number): void {
    const reader = this.#reader;
    reader.start(bytes, start, end);
    while (reader.next()) {
      let from = reader.dataStart;
      let {place} = reader;
      for (let left = reader.length; left > 0;) {
        const chunk = Math.floor(place / CHUNK);
        const inside = place - chunk * CHUNK;
        const count = Math.min(left, CHUNK - inside);
        this.#addTo(this.#slot(chunk) * CHUNK + inside, bytes, from, count);
        from += count;
        place += count;
        left -= count;
      }
    }
  }

  #addTo(index: number, bytes: Uint8Array, from: number, count: number): void {
    const xor = this.#xor;
    const written = this.#written;
    for (let i = 0; i < count; i++) {
      xor[index + i] = (xor[index + i] ?? 0) ^ (bytes[from + i] ?? 0);
      written[index + i] = 1;
    }
  }

  /** The composition of everything added since the last call, encoded; the accumulator is empty afterwards. */
  take(): Uint8Array {
    const out = new ByteColumn();
    const encoder = new ChangeEncoder(out);
    encoder.begin();
    for (const chunk of [...this.#slots.keys()].sort((a, b) => a - b)) {
      const slot = this.#slots.get(chunk) ?? 0;
      for (let i = 0; i < CHUNK; i++) {
        if (this.#written[slot * CHUNK + i] === 1) encoder.put(chunk * CHUNK + i, this.#xor[slot * CHUNK + i] ?? 0);
      }
    }
    encoder.end();
    this.#xor.fill(0, 0, this.#slots.size * CHUNK);
    this.#written.fill(0, 0, this.#slots.size * CHUNK);
    this.#slots.clear();
    this.#recentChunks.fill(-1);
    return out.toBytes();
  }

  #slot(chunk: number): number {
    const recent = chunk % RECENT;
    if (this.#recentChunks[recent] === chunk) return this.#recentSlots[recent] ?? 0;
    const slot = this.#slots.get(chunk) ?? this.#newSlot(chunk);
    this.#recentChunks[recent] = chunk;
    this.#recentSlots[recent] = slot;
    return slot;
  }
  #newSlot(chunk: number): number {
    const slot = this.#slots.size;
    this.#slots.set(chunk, slot);
    if ((slot + 1) * CHUNK > this.#xor.length) {
      this.#xor = doubled(this.#xor);
      this.#written = doubled(this.#written);
    }
    return slot;
  }
}

function doubled(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(bytes.length * 2);
  larger.set(bytes);
  return larger;
}

/** One change that has the effect of `first` and then `second`. */
export function composeChanges(first: Uint8Array, second: Uint8Array): Uint8Array {
  const accumulator = new ChangeAccumulator();
  accumulator.add(first, 0, first.length);
  accumulator.add(second, 0, second.length);
  return accumulator.take();
}
