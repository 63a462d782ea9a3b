// What the fuzzers draw: values at which carries, signs and counts change, by seeded numbers.

import {SeededNumbers} from '@hyperscope/base';

export class Random extends SeededNumbers {
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
