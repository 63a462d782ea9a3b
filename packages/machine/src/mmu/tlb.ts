// The translation lookaside buffer: what the processor remembers of past page walks.
// An entry may outlive the page-table entry it was read from. That is architectural: flushing it is the guest's duty.
//
// Four ways of 64 sets. Large pages are remembered 4 KiB at a time, as processors do when EPT splits them; INVLPG
// forgets all parts. Forgetting everything costs one write, because an entry counts only while its generation is
// current.
//
// Whose translation an entry is, two tags say: the identifier of the virtual processor (VT-x: VPID, SVM: ASID; 0 is the host) and,
// under EPT, the root of the tables that it went through. Together they are a context; eight are known at a time.
// SDM vol. 3C, "Caching Translation Information"; APM vol. 2, "TLB Control".
//
// The whole state is one bank of doubles (page numbers have at most 52 bits, so they fit exactly):
//
//   0: generation of global entries   1: generation of the others, in the current address space
//   2: generations up to this one are forgotten   3: the current address space         (0 to 3: of the current context)
//   4: the last generation given out   5: the current context   6: the next context to give up
//   7…70: next way to replace, by set
//   71…118: for each context: identifier | EPT root | its words 0 to 3, while it is not the current one
//   then for each address space, by PCID: generation | whose;
//   then for each entry: linear page | physical page | flags | generation
//
// Neither costs an entry a look: the generation says whose it is, because no two address spaces and no two contexts share one.

import type {Bank, Observer} from '../observer.js';
import type {TlbControl} from '../cpu/core.js';

const SETS = 64;
const WAYS = 4;
const WORDS = 4;
const GLOBAL = 0,
  CURRENT = 1,
  FORGOTTEN = 2,
  SPACE = 3,
  LAST = 4,
  CONTEXT = 5,
  NEXT_CONTEXT = 6,
  NEXT_WAY = 7,
  CONTEXTS = NEXT_WAY + SETS;
/** Words that each context has for itself, from GLOBAL on. */
const OWN_WORDS = 4;
const CONTEXT_COUNT = 8;
const IDENTIFIER = 0,
  ROOT = 1,
  OWN = 2,
  CONTEXT_WORDS = OWN + OWN_WORDS;
const SPACES = CONTEXTS + CONTEXT_COUNT * CONTEXT_WORDS;
const PCIDS = 4096;
/** Without PCIDs, and until CR3 is loaded again after everything was forgotten. */
export const NO_PCID = PCIDS;
/** Address spaces are found by PCID; those of different contexts begin at different places. */
const SPACE_SLOTS = 4096;
const SPACE_STRIDE = 509;
const ENTRIES = SPACES + 2 * SPACE_SLOTS;

/** Who uses the TLB. `root` is the number of the page that the EPT pointer names, or undefined. */
export interface TlbContext {
  /** VPID or ASID; 0 is the host. */
  readonly identifier: number;
  readonly root: number | undefined;
}

/** Flags of an entry. The low five are the page's rights; the next three say which accesses EPT has allowed so far. */
export const TLB_USER = 1;
export const TLB_WRITABLE = 2;
export const TLB_NO_EXECUTE = 4;
export const TLB_DIRTY = 8;
export const TLB_GLOBAL = 16;
export const TLB_PROVEN_READ = 32;
export const TLB_PROVEN_WRITE = 64;
export const TLB_PROVEN_EXECUTE = 128;
/** Bits 13:8: log2 of the size of the page that the entry is a part of. Bits 16:14: its context. */
const PAGE_BITS_SHIFT = 8;
const PAGE_BITS_MASK = 0x3f;
const CONTEXT_SHIFT = 14;
/** How the bank holds an EPT root: 0 is none. */
const rootWord = (root: number | undefined): number => (root === undefined ? 0 : root + 1);

/** Where what lies in the bank, for whoever reads one that is not a TLB's own. */
export const TLB_LAYOUT = {
  ways: WAYS,
  sets: SETS,
  words: WORDS,
  generations: GLOBAL,
  context: CONTEXT,
  contexts: CONTEXTS,
  contextCount: CONTEXT_COUNT,
  contextWords: CONTEXT_WORDS,
  own: OWN,
  spaces: SPACES,
  spaceSlots: SPACE_SLOTS,
  spaceOwners: NO_PCID + 1,
  entries: ENTRIES,
  pageBitsShift: PAGE_BITS_SHIFT,
  pageBitsMask: PAGE_BITS_MASK,
  contextShift: CONTEXT_SHIFT,
} as const;

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

const ALL_CONTEXTS: readonly number[] = Array.from({length: CONTEXT_COUNT}, (_, context) => context);

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
    this.words[CURRENT] = 2;
    this.words[LAST] = 2;
    this.words[SPACE] = NO_PCID;
    this.words[NEXT_CONTEXT] = 1;
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
    this.words[at + 2] =
      entry.flags | (entry.pageBits << PAGE_BITS_SHIFT) | ((this.words[CONTEXT] ?? 0) << CONTEXT_SHIFT);
    this.words[at + 3] = this.words[(entry.flags & TLB_GLOBAL) === 0 ? CURRENT : GLOBAL] ?? 0;
  }

  // ── what the processor that runs now forgets: of its identifier, under every EPT root ───────────────────────────

  flushAll(): void {
    this.flushIdentifier(this.#identifierOf(this.#context), 'global pages too');
  }
  /** Forgets what is not global, of every address space. */
  flushNonGlobal(): void {
    this.flushIdentifier(this.#identifierOf(this.#context), 'not global pages');
  }

  /** CR3 names another address space. `known`: what the TLB still knows of it counts again, or is forgotten. */
  enterSpace(pcid: number, known: 'kept' | 'forgotten'): void {
    if (known === 'forgotten') this.flushSpace(pcid);
    this.#enterSpace(pcid);
    this.follower?.forgetAll();
  }
  /** Forgets what is not global of one address space. */
  flushSpace(pcid: number): void {
    for (const context of this.#contextsOf(this.#identifierOf(this.#context))) this.#setGeneration(context, pcid, 0);
    if (this.words[SPACE] !== pcid) return;
    this.#willWrite(GLOBAL, CONTEXT);
    this.words[CURRENT] = this.#newGeneration();
    this.#setGeneration(this.#context, pcid, this.words[CURRENT]);
    this.follower?.forgetAll();
  }
  /** Forgets one page of an address space, whatever its size; global pages stay, unless the space is the current one. */
  flushPageOfSpace(pcid: number, linear: bigint): void {
    if (this.words[SPACE] === pcid) return this.flushPage(linear);
    const generations = this.#contextsOf(this.#identifierOf(this.#context)).map(each => this.#generationOf(each, pcid));
    this.#forgetPage(linear, at => generations.includes(this.words[at + 3] ?? 0) && !this.#isGlobal(at));
  }
  /** Forgets every part of the page that `linear` lies in, global or not, whatever the page's size. */
  flushPage(linear: bigint): void {
    const others = this.#contextsOf(this.#identifierOf(this.#context)).filter(each => each !== this.#context);
    if (others.length === 0) return this.forgetPage(linear);
    const pcid = this.words[SPACE] ?? 0;
    const spaces = others.map(each => this.#generationOf(each, pcid));
    this.#forgetPage(
      linear,
      at =>
        this.#isCurrent(at) ||
        (this.#isGlobal(at) ? others.includes(this.#contextOf(at)) : spaces.includes(this.words[at + 3] ?? 0)),
    );
  }
  /** The same in the current context only: an EPT violation forgets what led to it. */
  forgetPage(linear: bigint): void {
    this.#forgetPage(linear, at => this.#isCurrent(at));
  }

  // ── contexts: what VM entries, VM exits and their instructions do ───────────────────────────────────────────────

  /** Another context runs from now on, in the address space of a PCID (NO_PCID without). What is known of it counts again. */
  enterContext(wanted: TlbContext, pcid: number): void {
    const from = this.#context;
    this.#willWrite(GLOBAL, NEXT_WAY);
    this.#setGeneration(from, this.words[SPACE] ?? 0, this.words[CURRENT] ?? 0);
    this.#moveOwnWords(GLOBAL, this.#own(from));
    const known = this.#contextSlots.find(each => this.#isContext(each, wanted));
    this.words[CONTEXT] = known ?? this.#newContext(wanted);
    this.#moveOwnWords(this.#own(this.#context), GLOBAL);
    this.#enterSpace(pcid);
    this.follower?.forgetAll();
  }
  /** Forgets everything of one identifier, under every EPT root. */
  flushIdentifier(identifier: number, which: 'global pages too' | 'not global pages'): void {
    for (const context of this.#contextsOf(identifier)) this.#flushContext(context, which);
  }
  /** Forgets everything of every identifier but the host's (INVVPID type 2). */
  flushGuests(): void {
    for (const context of this.#contextSlots)
      if (this.#identifierOf(context) !== 0) this.#flushContext(context, 'global pages too');
  }
  /** Forgets everything that went through the EPT tables of one root (INVEPT type 1), or of any (type 2). */
  flushRoot(root: number | 'every'): void {
    for (const context of this.#contextSlots) {
      const own = this.words[this.#slot(context) + ROOT] ?? 0;
      if (own !== 0 && (root === 'every' || own === rootWord(root))) this.#flushContext(context, 'global pages too');
    }
  }
  /** Forgets everything of everybody. */
  flushEverything(): void {
    for (const context of this.#contextSlots) this.#flushContext(context, 'global pages too');
  }
  /** Forgets one page of an identifier, in every address space, under every EPT root, global or not. */
  flushPageOfIdentifier(identifier: number, linear: bigint): void {
    const contexts = this.#contextsOf(identifier);
    this.#forgetPage(linear, at => contexts.includes(this.#contextOf(at)));
  }

  #forgetPage(linear: bigint, counts: (at: number) => boolean): void {
    const page = Number(BigInt.asUintN(64, linear) >> 12n);
    for (let at = ENTRIES; at < this.words.length; at += WORDS) {
      if (this.words[at + 3] === 0 || !counts(at)) continue;
      const parts = 2 ** (((this.flags(at) >> PAGE_BITS_SHIFT) & PAGE_BITS_MASK) - 12);
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
        pageBits: (flags >> PAGE_BITS_SHIFT) & PAGE_BITS_MASK,
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
  // ── contexts and address spaces in the bank ─────────────────────────────────────────────────────────────────────

  get #context(): number {
    return this.words[CONTEXT] ?? 0;
  }
  #slot(context: number): number {
    return CONTEXTS + context * CONTEXT_WORDS;
  }
  #own(context: number): number {
    return this.#slot(context) + OWN;
  }
  #contextOf(at: number): number {
    return this.flags(at) >> CONTEXT_SHIFT;
  }
  #identifierOf(context: number): number {
    return this.words[this.#slot(context) + IDENTIFIER] ?? 0;
  }
  /** A context that was never given out has no generation; the first one is the host's. */
  get #contextSlots(): readonly number[] {
    return ALL_CONTEXTS.filter(each => each === 0 || each === this.#context || this.words[this.#own(each)] !== 0);
  }
  #contextsOf(identifier: number): readonly number[] {
    return this.#contextSlots.filter(each => this.#identifierOf(each) === identifier);
  }
  #isContext(context: number, {identifier, root}: TlbContext): boolean {
    const at = this.#slot(context);
    return this.words[at + IDENTIFIER] === identifier && this.words[at + ROOT] === rootWord(root);
  }
  /** Gives up the oldest context that is not the host's. Its entries have generations that never come again. */
  #newContext({identifier, root}: TlbContext): number {
    const context = this.words[NEXT_CONTEXT] ?? 1;
    this.words[NEXT_CONTEXT] = (context % (CONTEXT_COUNT - 1)) + 1;
    const at = this.#slot(context);
    this.#willWrite(at, CONTEXT_WORDS);
    this.words[at + IDENTIFIER] = identifier;
    this.words[at + ROOT] = rootWord(root);
    this.words[this.#own(context) + FORGOTTEN] = this.words[LAST] ?? 0;
    this.words[this.#own(context) + GLOBAL] = this.#newGeneration();
    this.words[this.#own(context) + CURRENT] = this.#newGeneration();
    this.words[this.#own(context) + SPACE] = NO_PCID;
    return context;
  }
  #moveOwnWords(from: number, to: number): void {
    this.#willWrite(to, OWN_WORDS);
    this.words.copyWithin(to, from, from + OWN_WORDS);
  }
  #flushContext(context: number, which: 'global pages too' | 'not global pages'): void {
    const at = context === this.#context ? GLOBAL : this.#own(context);
    this.#willWrite(at, OWN_WORDS);
    this.#willWrite(LAST, 1);
    this.words[at + FORGOTTEN] = this.words[LAST] ?? 0;
    this.words[at + SPACE] = NO_PCID;
    if (which === 'global pages too') this.words[at + GLOBAL] = this.#newGeneration();
    this.words[at + CURRENT] = this.#newGeneration();
    this.follower?.forgetAll();
  }
  #enterSpace(pcid: number): void {
    this.#willWrite(GLOBAL, CONTEXT);
    if (this.words[SPACE] !== pcid || pcid !== NO_PCID) this.#switchSpace(pcid);
  }
  #switchSpace(pcid: number): void {
    const generation = this.#generationOf(this.#context, pcid);
    const isKnown = generation > (this.words[FORGOTTEN] ?? 0);
    this.words[CURRENT] = isKnown ? generation : this.#newGeneration();
    if (!isKnown) this.#setGeneration(this.#context, pcid, this.words[CURRENT]);
    this.words[SPACE] = pcid;
  }
  /** Whoever calls has announced that LAST changes. */
  #newGeneration(): number {
    const generation = (this.words[LAST] ?? 0) + 1;
    this.words[LAST] = generation;
    return generation;
  }
  #spaceAt(context: number, pcid: number): number {
    return SPACES + 2 * ((pcid + context * SPACE_STRIDE) % SPACE_SLOTS);
  }
  #spaceOwner(context: number, pcid: number): number {
    return context * (NO_PCID + 1) + pcid;
  }
  /** 0 where nothing is known of the address space. */
  #generationOf(context: number, pcid: number): number {
    const at = this.#spaceAt(context, pcid);
    return this.words[at + 1] === this.#spaceOwner(context, pcid) ? (this.words[at] ?? 0) : 0;
  }
  #setGeneration(context: number, pcid: number, generation: number): void {
    const at = this.#spaceAt(context, pcid);
    this.#willWrite(at, 2);
    this.words[at] = generation;
    this.words[at + 1] = this.#spaceOwner(context, pcid);
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
