// The translation lookaside buffer: what the processor remembers of past page walks.
// An entry may outlive the page-table entry it was read from. That is architectural: flushing it is the guest's duty.
//
// Four ways of 64 sets. Large pages are remembered 4 KiB at a time, as processors do when EPT splits them; INVLPG
// forgets all parts. Forgetting everything costs one write, because an entry counts only while its generation is
// current.
// The whole state is one bank of doubles (page numbers have at most 52 bits, so they fit exactly):
//
//   0: generation of all entries   1: generation of non-global entries   2…65: next way to replace, by set
//   then for each entry: linear page | physical page | flags | generation

import type {Bank, Observer} from '../observer.js';
import type {TlbControl} from '../cpu/core.js';

const SETS = 64;
const WAYS = 4;
const WORDS = 4;
const ENTRIES = 2 + SETS;

/** Flags of an entry. The low five are the page's rights; the next three say which accesses EPT has allowed so far. */
export const TLB_USER = 1;
export const TLB_WRITABLE = 2;
export const TLB_NO_EXECUTE = 4;
export const TLB_DIRTY = 8;
export const TLB_GLOBAL = 16;
export const TLB_PROVEN_READ = 32;
export const TLB_PROVEN_WRITE = 64;
export const TLB_PROVEN_EXECUTE = 128;
/** Bits 13:8: log2 of the size of the page that the entry is a part of. */
const PAGE_BITS_SHIFT = 8;

/** A translation, as a walk found it. Page numbers are addresses divided by 4096. */
export interface TlbEntry {
  readonly linearPage: number;
  readonly physicalPage: number;
  readonly flags: number;
  readonly pageBits: number;
}

/** Whoever keeps copies of what the TLB knows. */
export interface TlbFollower {
  /** What was known of a page is replaced or gone. */
  forgetPage(linearPage: number): void;
  forgetAll(): void;
}

export class Tlb implements TlbControl {
  readonly words = new Float64Array(ENTRIES + SETS * WAYS * WORDS);
  readonly bank: Bank = {name: 'tlb', bytes: new Uint8Array(this.words.buffer)};
  observer: Observer | undefined;
  follower: TlbFollower | undefined;

  constructor() {
    this.reset();
  }

  /** Makes every entry invalid, as after a reset. */
  reset(): void {
    this.#willWrite(0, this.words.length);
    this.words.fill(0);
    this.words[0] = 1;
    this.words[1] = 1;
    this.follower?.forgetAll();
  }
  /** Tells the follower that the bank changed behind its back (a seek in the record). */
  invalidate(): void {
    this.follower?.forgetAll();
  }

  /** Where the entry for a linear page starts in `words`; -1 when there is none. Allocates nothing. */
  find(linearPage: number): number {
    const first = ENTRIES + (linearPage % SETS) * WAYS * WORDS;
    for (let at = first; at < first + WAYS * WORDS; at += WORDS) {
      if (this.words[at] === linearPage && this.#isCurrent(at)) return at;
    }
    return -1;
  }
  physicalPage(at: number): number {
    return this.words[at + 1] ?? 0;
  }
  flags(at: number): number {
    return this.words[at + 2] ?? 0;
  }

  insert(entry: TlbEntry): void {
    const set = entry.linearPage % SETS;
    const existing = this.find(entry.linearPage);
    const at = existing >= 0 ? existing : this.#victim(set);
    this.#willWrite(at, WORDS);
    this.follower?.forgetPage(this.words[at] ?? 0);
    this.words[at] = entry.linearPage;
    this.words[at + 1] = entry.physicalPage;
    this.words[at + 2] = entry.flags | (entry.pageBits << PAGE_BITS_SHIFT);
    this.words[at + 3] = this.words[(entry.flags & TLB_GLOBAL) === 0 ? 1 : 0] ?? 0;
  }

  flushAll(): void {
    this.#willWrite(0, 2);
    this.words[0] = (this.words[0] ?? 0) + 1;
    this.words[1] = (this.words[1] ?? 0) + 1;
    this.follower?.forgetAll();
  }
  flushNonGlobal(): void {
    this.#willWrite(1, 1);
    this.words[1] = (this.words[1] ?? 0) + 1;
    this.follower?.forgetAll();
  }
  /** Forgets every part of the page that `linear` lies in, global or not, whatever the page's size. */
  flushPage(linear: bigint): void {
    const page = Number(BigInt.asUintN(64, linear) >> 12n);
    for (let at = ENTRIES; at < this.words.length; at += WORDS) {
      if (!this.#isCurrent(at)) continue;
      const parts = 2 ** ((this.flags(at) >> PAGE_BITS_SHIFT) - 12);
      if (Math.floor((this.words[at] ?? 0) / parts) !== Math.floor(page / parts)) continue;
      this.#willWrite(at + 3, 1);
      this.words[at + 3] = 0;
      this.follower?.forgetPage(this.words[at] ?? 0);
    }
  }

  /** The entries that count now, for a view. */
  entries(): TlbEntry[] {
    const found: TlbEntry[] = [];
    for (let at = ENTRIES; at < this.words.length; at += WORDS) {
      if (!this.#isCurrent(at)) continue;
      const flags = this.flags(at);
      found.push({
        linearPage: this.words[at] ?? 0,
        physicalPage: this.physicalPage(at),
        flags: flags & 0xff,
        pageBits: flags >> PAGE_BITS_SHIFT,
      });
    }
    return found;
  }

  #isCurrent(at: number): boolean {
    const generation = (this.flags(at) & TLB_GLOBAL) === 0 ? this.words[1] : this.words[0];
    return this.words[at + 3] === generation;
  }
  #victim(set: number): number {
    const way = this.words[2 + set] ?? 0;
    this.#willWrite(2 + set, 1);
    this.words[2 + set] = (way + 1) % WAYS;
    return ENTRIES + (set * WAYS + way) * WORDS;
  }
  #willWrite(word: number, count: number): void {
    this.observer?.willWrite('tlb', word * 8, count * 8);
  }
}
