// The translation lookaside buffer: what the processor remembers of past page walks.
// An entry may outlive the page-table entry it was read from. That is architectural: flushing it is the guest's duty.
//
// Four ways of 64 sets. Large pages are remembered 4 KiB at a time, as processors do when EPT splits them; INVLPG
// forgets all parts. Forgetting everything costs one write, because an entry counts only while its generation is
// current.
// The whole state is one bank of doubles (page numbers have at most 52 bits, so they fit exactly):
//
//   0: generation of global entries   1: generation of the others, in the current address space
//   2: the last generation given out   3: generations up to this one are forgotten   4: the current address space
//   5…68: next way to replace, by set   69…4164: the generation of each address space, by PCID
//   then for each entry: linear page | physical page | flags | generation
//
// A PCID costs an entry nothing: the generation says whose it is, because no two address spaces share one.

import type {Bank, Observer} from '../observer.js';
import type {TlbControl} from '../cpu/core.js';

const SETS = 64;
const WAYS = 4;
const WORDS = 4;
const GLOBAL = 0,
  CURRENT = 1,
  LAST = 2,
  FORGOTTEN = 3,
  SPACE = 4,
  NEXT_WAY = 5,
  SPACES = NEXT_WAY + SETS;
const PCIDS = 4096;
/** What is found before CR3 was loaded again after flushAll belongs to no PCID. */
const NO_PCID = PCIDS;
const ENTRIES = SPACES + PCIDS;

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
    this.words[GLOBAL] = 1;
    this.words[CURRENT] = 1;
    this.words[LAST] = 1;
    this.words[SPACE] = NO_PCID;
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
    this.words[at + 3] = this.words[(entry.flags & TLB_GLOBAL) === 0 ? CURRENT : GLOBAL] ?? 0;
  }

  flushAll(): void {
    this.#willWrite(GLOBAL, SPACE + 1);
    this.words[GLOBAL] = (this.words[GLOBAL] ?? 0) + 1;
    this.words[SPACE] = NO_PCID;
    this.words[FORGOTTEN] = this.words[LAST] ?? 0;
    this.words[CURRENT] = this.#newGeneration();
    this.follower?.forgetAll();
  }
  /** Forgets what is not global, of every address space. */
  flushNonGlobal(): void {
    this.#willWrite(CURRENT, SPACE);
    this.words[SPACE] = NO_PCID;
    this.words[FORGOTTEN] = this.words[LAST] ?? 0;
    this.words[CURRENT] = this.#newGeneration();
    this.follower?.forgetAll();
  }

  /** CR3 names another address space. `known`: what the TLB still knows of it counts again, or is forgotten. */
  enterSpace(pcid: number, known: 'kept' | 'forgotten'): void {
    if (known === 'forgotten') this.flushSpace(pcid);
    this.#willWrite(CURRENT, SPACE);
    const generation = this.words[SPACES + pcid] ?? 0;
    const isKnown = generation > (this.words[FORGOTTEN] ?? 0);
    this.words[CURRENT] = isKnown ? generation : this.#newGeneration();
    if (!isKnown) this.#setGeneration(pcid, this.words[CURRENT]);
    this.words[SPACE] = pcid;
    this.follower?.forgetAll();
  }
  /** Forgets what is not global of one address space. */
  flushSpace(pcid: number): void {
    this.#setGeneration(pcid, 0);
    if (this.words[SPACE] !== pcid) return;
    this.#willWrite(CURRENT, LAST);
    this.words[CURRENT] = this.#newGeneration();
    this.#setGeneration(pcid, this.words[CURRENT]);
    this.follower?.forgetAll();
  }
  /** Forgets one page of an address space, whatever its size; global pages stay, unless the space is the current one. */
  flushPageOfSpace(pcid: number, linear: bigint): void {
    if (this.words[SPACE] === pcid) this.flushPage(linear);
    else this.#forgetPage(linear, at => this.words[at + 3] === this.words[SPACES + pcid] && !this.#isGlobal(at));
  }
  /** Forgets every part of the page that `linear` lies in, global or not, whatever the page's size. */
  flushPage(linear: bigint): void {
    this.#forgetPage(linear, at => this.#isCurrent(at));
  }
  #forgetPage(linear: bigint, counts: (at: number) => boolean): void {
    const page = Number(BigInt.asUintN(64, linear) >> 12n);
    for (let at = ENTRIES; at < this.words.length; at += WORDS) {
      if (!counts(at)) continue;
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

  #isGlobal(at: number): boolean {
    return (this.flags(at) & TLB_GLOBAL) !== 0;
  }
  #isCurrent(at: number): boolean {
    return this.words[at + 3] === this.words[this.#isGlobal(at) ? GLOBAL : CURRENT];
  }
  /** Whoever calls has announced that LAST changes. */
  #newGeneration(): number {
    const generation = (this.words[LAST] ?? 0) + 1;
    this.words[LAST] = generation;
    return generation;
  }
  #setGeneration(pcid: number, generation: number): void {
    this.#willWrite(SPACES + pcid, 1);
    this.words[SPACES + pcid] = generation;
  }
  #victim(set: number): number {
    const way = this.words[NEXT_WAY + set] ?? 0;
    this.#willWrite(NEXT_WAY + set, 1);
    this.words[NEXT_WAY + set] = (way + 1) % WAYS;
    return ENTRIES + (set * WAYS + way) * WORDS;
  }
  #willWrite(word: number, count: number): void {
    this.observer?.willWrite('tlb', word * 8, count * 8);
  }
}
