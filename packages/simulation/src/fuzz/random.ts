// Numbers that look random and are not: the same seed gives the same programs, on every machine.

/** sfc32 (Chris Doty-Humphrey's Small Fast Counting generator): 128 bits of state, 32 bits at a time. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** `stream` tells apart generators of one seed: the number of a program. */
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

  /** True so many times in a hundred. */
  chance(percent: number): boolean {
    return this.next() < (percent / 100) * 0x1_0000_0000;
  }

  pick<T>(list: readonly [T, ...T[]]): T {
    return list[this.below(list.length)] ?? list[0];
  }

  /** 64 bits. */
  word(): bigint {
    return (BigInt(this.next()) << 32n) | BigInt(this.next());
  }

  /** A value of `bits` bits, mostly one at which carries, signs and counts change. */
  value(bits: number): bigint {
    const top = 1n << BigInt(bits - 1);
    switch (this.below(8)) {
      case 0:
        return BigInt(this.below(3));
      case 1:
        return BigInt.asUintN(bits, BigInt(this.below(5) - 2));
      case 2:
        return BigInt.asUintN(bits, top + BigInt(this.below(5) - 2));
      case 3:
        return 1n << BigInt(this.below(bits));
      case 4:
        return BigInt(this.below(0x80));
      case 5:
        return BigInt.asUintN(bits, (1n << BigInt(this.below(bits))) - 1n);
      default:
        return BigInt.asUintN(bits, this.word());
    }
  }
}
