// Where in memory a reader has looked, to go back to and forward again, as in any browser of pages.

import type {MemorySpace} from '@hyperscope/trace';

export interface Place {
  readonly space: MemorySpace;
  readonly address: bigint;
}

/** Older places are forgotten. */
const MOST = 100;

export class LookedPlaces {
  readonly #places: readonly Place[];
  readonly #at: number;

  constructor(places: readonly Place[] = [], at = places.length - 1) {
    this.#places = places;
    this.#at = at;
  }

  get current(): Place | undefined {
    return this.#places[this.#at];
  }
  get canGoBack(): boolean {
    return this.#at > 0;
  }
  get canGoForward(): boolean {
    return this.#at < this.#places.length - 1;
  }

  /** A new place; what lay ahead is forgotten. */
  go(place: Place): LookedPlaces {
    const {current} = this;
    if (current?.space === place.space && current.address === place.address) return this;
    return new LookedPlaces([...this.#places.slice(0, this.#at + 1), place].slice(-MOST));
  }
  /** Moves on from the present place, which is not one to come back to. */
  scroll(place: Place): LookedPlaces {
    if (this.#at < 0) return this.go(place);
    return new LookedPlaces(
      this.#places.map((each, at) => (at === this.#at ? place : each)),
      this.#at,
    );
  }
  back(): LookedPlaces {
    return this.canGoBack ? new LookedPlaces(this.#places, this.#at - 1) : this;
  }
  forward(): LookedPlaces {
    return this.canGoForward ? new LookedPlaces(this.#places, this.#at + 1) : this;
  }
}
