// The table in which code of the cache looks up where RET and indirect jumps lead: 256 entries by the low byte of the guest's
// address, each with the negated address and the place of its fragment. It holds for one context and one base of CS; for another
// it is emptied. An entry whose fragment was thrown away leads to the stub in its place, as every other jump does.

import {codeSizeOf} from './translation-cache.js';
import type {Fragment, FragmentKey, TranslationCache} from './translation-cache.js';
import {linearOf} from '../trap-and-emulate/vmm-layout.js';
import {
  CACHE,
  HEADER,
  LOOKUP_BASE,
  LOOKUP_CONTEXT,
  LOOKUP_ENTRIES,
  LOOKUP_TAGS,
  LOOKUP_TARGETS,
} from './translation-layout.js';

/** No address with the low byte of the entry has this tag: 0 belongs to address 0, 1 to an address that ends in FFh. */
const emptyTag = (entry: number): bigint => (entry === 0 ? 1n : 0n);

export class LookUpTable {
  readonly #cache: TranslationCache;

  constructor(cache: TranslationCache) {
    this.#cache = cache;
  }

  /** Empties it unless it holds for the code that is entered now. */
  holdFor({context, linear, rip}: FragmentKey): void {
    const base = BigInt.asUintN(64, linear - rip);
    const held = this.#cache.read(HEADER + LOOKUP_CONTEXT, 8) === context;
    if (held && this.#cache.read(HEADER + LOOKUP_BASE, 8) === base) return;
    this.empty();
    this.#cache.write(HEADER + LOOKUP_CONTEXT, 8, context);
    this.#cache.write(HEADER + LOOKUP_BASE, 8, base);
  }

  empty(): void {
    for (let entry = 0; entry < LOOKUP_ENTRIES; entry++)
      if (this.#cache.read(LOOKUP_TAGS + 8 * entry, 8) !== emptyTag(entry))
        this.#cache.write(LOOKUP_TAGS + 8 * entry, 8, emptyTag(entry));
  }

  add(fragment: Fragment): void {
    const {rip, at} = fragment;
    const entry = Number(rip & BigInt(LOOKUP_ENTRIES - 1));
    const place = codeSizeOf(fragment) === 64 ? linearOf(CACHE + at) : BigInt(at);
    this.#cache.write(LOOKUP_TAGS + 8 * entry, 8, BigInt.asUintN(64, -rip));
    this.#cache.write(LOOKUP_TARGETS + 8 * entry, 8, place);
  }
}
