// A value that the guest will compute. It is opaque while microcode is being recorded: `a + b` on two of them does not
// compile and `if (value)` does not lint, so a definition cannot depend on what only the running guest knows.

import type {BinaryOperation, Microcode, UnaryOperation, Width} from './microcode.js';

export class Value {
  /** Index of the operation that produces it, in Microcode.operations. */
  readonly id: number;
  readonly width: Width;
  readonly #microcode: Microcode;

  constructor(id: number, width: Width, microcode: Microcode) {
    this.id = id;
    this.width = width;
    this.#microcode = microcode;
  }

  add(b: Value | bigint): Value {
    return this.#binary('add', b);
  }
  sub(b: Value | bigint): Value {
    return this.#binary('sub', b);
  }
  and(b: Value | bigint): Value {
    return this.#binary('and', b);
  }
  or(b: Value | bigint): Value {
    return this.#binary('or', b);
  }
  xor(b: Value | bigint): Value {
    return this.#binary('xor', b);
  }
  /** Low half of the product. */
  mul(b: Value | bigint): Value {
    return this.#binary('mul', b);
  }
  /** Unsigned quotient and remainder; the divisor was checked before. */
  divideUnsigned(b: Value | bigint): Value {
    return this.#binary('divu', b);
  }
  remainderUnsigned(b: Value | bigint): Value {
    return this.#binary('remu', b);
  }
  /** Signed quotient (towards zero) and remainder (sign of the dividend). */
  divideSigned(b: Value | bigint): Value {
    return this.#binary('divs', b);
  }
  remainderSigned(b: Value | bigint): Value {
    return this.#binary('rems', b);
  }
  /** Shifts by an unsigned count; a count of the width or more gives 0 (or the sign, for `shiftRightSigned`). */
  shiftLeft(count: Value | bigint): Value {
    return this.#binary('shl', count);
  }
  shiftRight(count: Value | bigint): Value {
    return this.#binary('shr', count);
  }
  shiftRightSigned(count: Value | bigint): Value {
    return this.#binary('sar', count);
  }

  /** PDEP: the lowest bits of this value go to the places of the ones of `mask`, in order. */
  scatter(mask: Value): Value {
    return this.#binary('pdep', mask);
  }
  /** PEXT: the bits at the places of the ones of `mask` are brought together at the low end. */
  gather(mask: Value): Value {
    return this.#binary('pext', mask);
  }
  /** This 32-bit value as a CRC-32C accumulator, after `data` of 8 to 64 bits. */
  crc32(data: Value): Value {
    return this.#binary('crc32', data);
  }

  is(b: Value | bigint): Value {
    return this.#binary('eq', b);
  }
  isNot(b: Value | bigint): Value {
    return this.#binary('ne', b);
  }
  /** Unsigned comparisons. */
  above(b: Value | bigint): Value {
    return this.#binary('gtu', b);
  }
  below(b: Value | bigint): Value {
    return this.#binary('ltu', b);
  }
  /** Signed comparison. */
  less(b: Value | bigint): Value {
    return this.#binary('lts', b);
  }

  /** Bitwise complement; logical "not" of a 1-bit value. */
  not(): Value {
    return this.#unary('not', this.width);
  }
  negate(): Value {
    return this.#unary('neg', this.width);
  }
  zeroExtend(width: Width): Value {
    return this.#unary('zext', width);
  }
  signExtend(width: Width): Value {
    return this.#unary('sext', width);
  }
  truncate(width: Width): Value {
    return this.#unary('trunc', width);
  }
  /** 1 when the number of ones in the lowest eight bits is even. */
  parity(): Value {
    return this.#unary('parity', 1);
  }
  /** Index of the lowest (highest) bit that is set; 0 for a zero operand. */
  lowestBit(): Value {
    return this.#unary('ctz', this.width);
  }
  highestBit(): Value {
    return this.#unary('msb', this.width);
  }
  /** How many bits are 1. */
  ones(): Value {
    return this.#unary('popcnt', this.width);
  }
  byteSwap(): Value {
    return this.#unary('bswap', this.width);
  }
  /** The bit at a fixed place, as a 1-bit value. */
  bit(index: number): Value {
    return this.shiftRight(BigInt(index)).truncate(1);
  }
  /** The most significant bit. */
  sign(): Value {
    return this.bit(this.width - 1);
  }

  /** `this ? a : b`, for a 1-bit value. */
  choose(a: Value | bigint, b: Value | bigint, width?: Width): Value {
    const m = this.#microcode;
    const w = typeof a !== 'bigint' ? a.width : typeof b !== 'bigint' ? b.width : (width ?? 64);
    const x = typeof a === 'bigint' ? m.constant(a, w) : a;
    const y = typeof b === 'bigint' ? m.constant(b, w) : b;
    return m.record({op: 'choose', condition: this.id, a: x.id, b: y.id, width: w});
  }

  #binary(op: BinaryOperation, b: Value | bigint): Value {
    const m = this.#microcode;
    const right = typeof b === 'bigint' ? m.constant(b, this.width) : b;
    return m.binary(op, this, right);
  }
  #unary(op: UnaryOperation, width: Width): Value {
    return this.#microcode.record({op: 'unary', operation: op, a: this.id, width});
  }
}
