// Numbers that look random and are not: the same seed gives the same numbers, on every machine.

/** sfc32 (Chris Doty-Humphrey's Small Fast Counting generator): 128 bits of state, 32 bits at a time. */
export class SeededNumbers {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** `stream` tells apart generators of one seed: the number of a program, of a question. */
  constructor(seed: number, stream: number) {
    this.#a = seed | 0;
    this.#b = stream | 0;
    this.#c = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) | 0;
    for (let i = 0; i < 12; i++) this.next();
  }

  /** 32 bits, unsigned. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** 0 to `limit` − 1. */
  below(limit: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * limit);
  }
}
