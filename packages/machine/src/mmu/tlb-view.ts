// The whole TLB as an onlooker reads it from its bank: every entry that could still be used, of every virtual processor and every
// address space that the TLB remembers, whether or not the processor is there now.

import {NO_PCID, TLB_GLOBAL, TLB_LAYOUT as AT} from './tlb.js';
import type {TlbEntry} from './tlb.js';

export interface KnownTranslation extends TlbEntry {
  /** VPID or ASID; 0 is the host. */
  readonly identifier: number;
  /** The number of the page that the EPT pointer names; undefined without EPT. */
  readonly root: number | undefined;
  /** The address space that it belongs to; undefined without PCIDs, and for a global entry, which belongs to all. */
  readonly pcid: number | undefined;
  /** Whether the processor would use it as it stands now. */
  readonly isCurrent: boolean;
}

/** The most entries that can be remembered. */
export const TLB_CAPACITY = AT.sets * AT.ways;

/** `words`: the bank 'tlb' as doubles. A record may come from anywhere: what does not fit the format is left out. */
export function knownTranslations(words: Float64Array): readonly KnownTranslation[] {
  if (words.length < AT.entries + TLB_CAPACITY * AT.words) return [];
  const view = new View(words);
  const known: KnownTranslation[] = [];
  for (let at: number = AT.entries; at < words.length; at += AT.words) {
    const entry = view.entry(at);
    if (entry !== undefined) known.push(entry);
  }
  return known;
}

class View {
  readonly #words: Float64Array;
  /** Which address space a generation is of, by context and PCID in one number. */
  readonly #spaces = new Map<number, number>();

  constructor(words: Float64Array) {
    this.#words = words;
    for (let slot = 0; slot < AT.spaceSlots; slot++) {
      const generation = this.#word(AT.spaces + 2 * slot);
      if (generation !== 0) this.#spaces.set(generation, this.#word(AT.spaces + 2 * slot + 1));
    }
  }

  entry(at: number): KnownTranslation | undefined {
    const generation = this.#word(at + 3);
    if (generation === 0) return undefined;
    const bits = this.#word(at + 2);
    const context = bits >> AT.contextShift;
    const isGlobal = (bits & TLB_GLOBAL) !== 0;
    const space = isGlobal ? this.#globalSpace(context, generation) : this.#spaceOf(context, generation);
    if (space === undefined) return undefined;
    const slot = AT.contexts + context * AT.contextWords;
    const root = this.#word(slot + 1);
    return {
      linearPage: this.#word(at),
      physicalPage: this.#word(at + 1),
      flags: bits & 0xff,
      pageBits: (bits >> AT.pageBitsShift) & AT.pageBitsMask,
      identifier: this.#word(slot),
      root: root === 0 ? undefined : root - 1,
      pcid: isGlobal || space === NO_PCID ? undefined : space,
      isCurrent: context === this.#context && (isGlobal || generation === this.#own(context, 1)),
    };
  }

  #globalSpace(context: number, generation: number): number | undefined {
    return this.#own(context, 0) === generation ? NO_PCID : undefined;
  }

  /** The PCID that a generation is of, where it has not been forgotten; the space that is in use may not be noted yet. */
  #spaceOf(context: number, generation: number): number | undefined {
    if (generation === this.#own(context, 1)) return this.#own(context, 3);
    const owner = this.#spaces.get(generation);
    if (owner === undefined || generation <= this.#own(context, 2)) return undefined;
    return Math.floor(owner / AT.spaceOwners) === context ? owner % AT.spaceOwners : undefined;
  }

  get #context(): number {
    return this.#word(AT.context);
  }
  /** Words 0 to 3 of a context: in front while it is the current one, in its slot while it is not. */
  #own(context: number, index: number): number {
    const base = context === this.#context ? AT.generations : AT.contexts + context * AT.contextWords + AT.own;
    return this.#word(base + index);
  }
  #word(at: number): number {
    return this.#words[at] ?? 0;
  }
}
