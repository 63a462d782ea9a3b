// Repeatable choices for generated corpora: the same seed gives the same lines on every machine.

export class Random {
  private state: number;
  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** A number from 0 to `bound` - 1 (a linear congruential generator, its high bits). */
  below(bound: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.state / 0x1_0000_0000) * bound);
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0];
  }

  /** True once in `many` times. */
  once(many: number): boolean {
    return this.below(many) === 0;
  }
}
