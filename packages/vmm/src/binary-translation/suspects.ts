// Adaptive retranslation: "innocent until proven guilty". A store is copied, and traps where it hits a page that the VMM watches: a page
// table, or code that was translated. One that did so three times is called out from then on, which costs less than a #PF; and one that
// was called out sixteen times without hitting a watched page is copied again. Adams and Agesen 2006, section 3.3.
//
//   an entry, found by the linear address of the instruction:  +0 address  +8 times it trapped  +10 times it did no harm  +12 guilty

import type {TranslationCache} from './translation-cache.js';
import {MOST_SUSPECTS, SUSPECTS, SUSPECT_BYTES} from './translation-layout.js';

/** Traps until an instruction is called out, and harmless callouts until it is trusted again. */
export const TRAPS_TO_GUILT = 3;
export const CALLS_TO_TRUST = 16;

export type Verdict = 'guilty' | 'acquitted' | 'unchanged';

export class Suspects {
  readonly #cache: TranslationCache;

  constructor(cache: TranslationCache) {
    this.#cache = cache;
  }

  isGuilty(linear: bigint): boolean {
    return this.#isHere(linear) && this.#cache.read(this.#placeOf(linear) + 12, 4) === 1n;
  }

  /** It wrote to a watched page, and trapped. */
  trapped(linear: bigint): Verdict {
    const place = this.#placeOf(linear);
    if (!this.#isHere(linear)) this.#start(linear);
    const traps = this.#cache.read(place + 8, 2) + 1n;
    this.#cache.write(place + 8, 2, traps);
    if (traps < BigInt(TRAPS_TO_GUILT) || this.isGuilty(linear)) return 'unchanged';
    this.#cache.write(place + 10, 2, 0n);
    this.#cache.write(place + 12, 4, 1n);
    return 'guilty';
  }

  /** A guilty one was carried out by the VMM. */
  calledOut(linear: bigint, hit: 'watched' | 'nothing watched'): Verdict {
    if (!this.isGuilty(linear)) return 'unchanged';
    const place = this.#placeOf(linear);
    const harmless = hit === 'watched' ? 0n : this.#cache.read(place + 10, 2) + 1n;
    if (harmless !== this.#cache.read(place + 10, 2)) this.#cache.write(place + 10, 2, harmless);
    if (harmless < BigInt(CALLS_TO_TRUST)) return 'unchanged';
    this.#start(linear);
    return 'acquitted';
  }

  #start(linear: bigint): void {
    this.#cache.write(this.#placeOf(linear), 8, linear);
    this.#cache.write(this.#placeOf(linear) + 8, 8, 0n);
  }
  #isHere(linear: bigint): boolean {
    return this.#cache.read(this.#placeOf(linear), 8) === linear;
  }
  #placeOf(linear: bigint): number {
    return SUSPECTS + SUSPECT_BYTES * Number((linear ^ (linear >> 7n)) % BigInt(MOST_SUSPECTS));
  }
}
