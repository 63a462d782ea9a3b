// The translation cache as a record holds it: the fragments that are found in it, and for each of its instructions what the map says.
// For whoever looks at a state; it writes nothing.

import {VMM_PHYSICAL, linearOf} from '../trap-and-emulate/vmm-layout.js';
import type {WindowReader} from '../trap-and-emulate/guest-exit.js';
import {cacheOffset, mapEntryAt} from './translated-frame.js';
import type {MapEntry} from './translated-frame.js';
import {
  CACHE,
  CACHE_BYTES,
  FLUSHES,
  FRAGMENTS,
  FRAGMENT_BYTES,
  FRAGMENT_COUNT,
  HEADER,
  IN_USE,
  MOST_FRAGMENTS,
} from './translation-layout.js';

export interface FragmentSeen {
  readonly rip: bigint;
  /** Offset in the cache. */
  readonly at: number;
  readonly codeSize: 16 | 32 | 64;
  /** Bytes of the guest's code. */
  readonly length: number;
}

export class TranslationView {
  readonly #window: WindowReader;
  readonly #memory: Uint8Array;

  /** `memory`: the host's. */
  constructor(memory: Uint8Array) {
    this.#memory = memory;
    this.#window = (offset, bytes) => {
      let value = 0n;
      for (let index = bytes - 1; index >= 0; index--)
        value = (value << 8n) | BigInt(memory[VMM_PHYSICAL + offset + index] ?? 0);
      return value;
    };
  }

  get bytesInUse(): number {
    return this.#number(HEADER + IN_USE);
  }
  get capacity(): number {
    return CACHE_BYTES;
  }
  get emptied(): number {
    return this.#number(HEADER + FLUSHES);
  }
  #number(offset: number): number {
    return Number(this.#window(offset, 4));
  }

  /** Those that the VMM would find, in the order in which they were made. */
  fragments(): readonly FragmentSeen[] {
    const found: FragmentSeen[] = [];
    const count = Math.min(this.#number(HEADER + FRAGMENT_COUNT), MOST_FRAGMENTS);
    for (let index = 0; index < count; index++) {
      const place = FRAGMENTS + index * FRAGMENT_BYTES;
      if (this.#number(place + 36) !== 1) continue;
      const size = Number(this.#window(place + 16, 1));
      const codeSize = size === 64 ? 64 : size === 32 ? 32 : 16;
      const [at, length] = [this.#number(place + 24), this.#number(place + 28)];
      found.push({rip: this.#window(place, 8), at, codeSize, length});
    }
    return found;
  }

  /** What the map says of an offset in the cache. */
  entryAt(offset: number): MapEntry | undefined {
    return mapEntryAt(this.#window, offset);
  }

  bytes(at: number, length: number): Uint8Array {
    const start = VMM_PHYSICAL + CACHE + at;
    return this.#memory.subarray(start, start + length);
  }

  /** The offset in the cache of a linear address; undefined outside. */
  offsetOf(linear: bigint): number | undefined {
    const offset = linear - linearOf(CACHE);
    return offset < 0n || offset >= BigInt(CACHE_BYTES) ? undefined : cacheOffset(linear);
  }
  linearOf(at: number): bigint {
    return linearOf(CACHE + at);
  }
}
