// For tests: byte strings that look like instructions often enough to be worth decoding. Seeded, so that a failure repeats.

import type {CodeSize} from '../instruction.js';

const PREFIXES = [0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];

export class RandomBytes {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** 0 to `below` − 1: a linear congruential generator (Numerical Recipes), upper bits. */
  next(below: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#state / 0x1_0000_0000) * below);
  }

  /** 18 bytes: perhaps prefixes, perhaps REX, perhaps 0F, then anything. */
  instruction(codeSize: CodeSize): Uint8Array {
    const start: number[] = [];
    while (this.next(3) === 0) start.push(PREFIXES[this.next(PREFIXES.length)] ?? 0x66);
    if (codeSize === 64 && this.next(3) === 0) start.push(0x40 + this.next(16));
    if (this.next(2) === 0) start.push(0x0f);
    return Uint8Array.from({length: 18}, (_, n) => start[n] ?? this.next(256));
  }
}
