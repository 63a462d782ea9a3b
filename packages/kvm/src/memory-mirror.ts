// A copy of guest memory as it was at the last observation. Real KVM changes memory without telling; after a run the
// pages that it marked dirty are compared with the copy, and the copy is brought up to date, telling a recorder first.

import {PAGE_BYTES} from './kvm-abi.js';

/** Told before bytes of a bank change, as trace's recorder wants it. */
export interface WriteListener {
  willWrite(bank: string, offset: number, length: number): void;
}

/** Changed words closer than this are told as one write: fewer, longer entries. */
const GAP_WORDS = 2;
const WORD = 4;

export class MemoryMirror {
  /** The bank: what memory held at the last observation. */
  readonly bytes: Uint8Array;
  readonly #old: Uint32Array;
  readonly #live: Uint8Array;
  readonly #now: Uint32Array;

  /** `live` is the guest's memory. It is taken as it is only where `segments` say that a loader wrote: the rest is zero. */
  constructor(live: Uint8Array, segments: readonly {readonly gpa: number; readonly bytes: Uint8Array}[]) {
    this.#live = live;
    this.#now = new Uint32Array(live.buffer, live.byteOffset, live.length / WORD);
    this.bytes = new Uint8Array(live.length);
    this.#old = new Uint32Array(this.bytes.buffer);
    for (const {gpa, bytes} of segments) if (gpa + bytes.length <= live.length) this.bytes.set(bytes, gpa);
  }

  /** Brings pages up to date. Returns the number of bytes that differed, counted in changed words. */
  update(pages: readonly number[], listener: WriteListener | undefined): number {
    let changed = 0;
    for (const page of pages) changed += this.#updatePage(page / WORD, listener);
    return changed;
  }

  #updatePage(first: number, listener: WriteListener | undefined): number {
    const end = first + PAGE_BYTES / WORD;
    let changed = 0;
    for (let word = first; word < end;) {
      if (this.#now[word] === this.#old[word]) {
        word++;
        continue;
      }
      const from = word;
      let last = word;
      for (; word < end && word - last <= GAP_WORDS; word++) if (this.#now[word] !== this.#old[word]) last = word;
      const [offset, length] = [from * WORD, (last + 1 - from) * WORD];
      listener?.willWrite('memory', offset, length);
      this.bytes.set(this.#live.subarray(offset, offset + length), offset);
      changed += length;
    }
    return changed;
  }
}
