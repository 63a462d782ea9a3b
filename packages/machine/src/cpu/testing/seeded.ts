// Numbers that look random and are the same in every run: xorshift32 (Marsaglia, 2003).

export class Seeded {
  #state: number;

  /** `seed` is not 0. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  /** An integer from 0 to `below` - 1. */
  below(below: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return Math.floor((this.#state / 2 ** 32) * below);
  }
  pick<T>(values: readonly [T, ...T[]]): T {
    return values[this.below(values.length)] ?? values[0];
  }
}
