// Acts that compute a value: one for each operation on up to 32 bits, a few for the common ones on 64 bits; all others go
// through the definitions in isa, in BigInt. Values of 8 and 16 bits (and single bits) are kept zero-extended.

import {binaryResult, unaryResult} from '@hyperscope/isa';
import type {BinaryOperation, UnaryOperation} from '@hyperscope/isa';
import {NEXT} from './act.js';
import type {Act} from './act.js';
import {PARITY} from './flag-arithmetic.js';

/** The two words that hold a value; `high` matters only for values wider than 32 bits. */
export interface Place {
  readonly low: number;
  readonly high: number;
}

export const maskOf = (width: number): number => (width >= 32 ? -1 : (1 << width) - 1);

/** A binary operation on values of up to 32 bits (their low words are given), or undefined where there is no quick way. */
export function narrowBinary(
  f: Int32Array,
  operation: BinaryOperation,
  to: number,
  a: number,
  b: number,
  width: number,
): Act | undefined {
  const mask = maskOf(width);
  const unused = 32 - width;
  switch (operation) {
    case 'add':
      return () => ((f[to] = ((f[a] ?? 0) + (f[b] ?? 0)) & mask), NEXT);
    case 'sub':
      return () => ((f[to] = ((f[a] ?? 0) - (f[b] ?? 0)) & mask), NEXT);
    case 'and':
      return () => ((f[to] = (f[a] ?? 0) & (f[b] ?? 0)), NEXT);
    case 'or':
      return () => ((f[to] = (f[a] ?? 0) | (f[b] ?? 0)), NEXT);
    case 'xor':
      return () => ((f[to] = (f[a] ?? 0) ^ (f[b] ?? 0)), NEXT);
    case 'mul':
      return () => ((f[to] = Math.imul(f[a] ?? 0, f[b] ?? 0) & mask), NEXT);
    case 'eq':
      return () => ((f[to] = f[a] === f[b] ? 1 : 0), NEXT);
    case 'ne':
      return () => ((f[to] = f[a] === f[b] ? 0 : 1), NEXT);
    case 'gtu':
      return () => ((f[to] = (f[a] ?? 0) >>> 0 > (f[b] ?? 0) >>> 0 ? 1 : 0), NEXT);
    case 'ltu':
      return () => ((f[to] = (f[a] ?? 0) >>> 0 < (f[b] ?? 0) >>> 0 ? 1 : 0), NEXT);
    case 'lts':
      return () => ((f[to] = (f[a] ?? 0) << unused < (f[b] ?? 0) << unused ? 1 : 0), NEXT);
    default:
      return narrowShift(f, operation, to, a, b, width);
  }
}

/** The count has a width of its own; from the operand's width on nothing is left of it but, for `sar`, its sign. */
function narrowShift(
  f: Int32Array,
  operation: BinaryOperation,
  to: number,
  a: number,
  b: number,
  width: number,
): Act | undefined {
  const mask = maskOf(width);
  const unused = 32 - width;
  switch (operation) {
    case 'shl':
      return () => {
        const count = (f[b] ?? 0) >>> 0;
        f[to] = count >= width ? 0 : ((f[a] ?? 0) << count) & mask;
        return NEXT;
      };
    case 'shr':
      return () => {
        const count = (f[b] ?? 0) >>> 0;
        f[to] = count >= width ? 0 : (f[a] ?? 0) >>> count;
        return NEXT;
      };
    case 'sar':
      return () => {
        const count = (f[b] ?? 0) >>> 0;
        f[to] = ((((f[a] ?? 0) << unused) >> unused) >> (count >= width ? 31 : count)) & mask;
        return NEXT;
      };
    default:
      return undefined;
  }
}

/** A binary operation on values of 64 bits, or undefined where there is no quick way. */
export function longBinary(f: Int32Array, operation: BinaryOperation, to: number, a: Place, b: Place): Act | undefined {
  const {low: al, high: ah} = a;
  const {low: bl, high: bh} = b;
  switch (operation) {
    case 'add':
      return () => {
        const x = f[al] ?? 0;
        const sum = (x + (f[bl] ?? 0)) | 0;
        const high = ((f[ah] ?? 0) + (f[bh] ?? 0) + (sum >>> 0 < x >>> 0 ? 1 : 0)) | 0;
        f[to] = sum;
        f[to + 1] = high;
        return NEXT;
      };
    case 'sub':
      return () => {
        const x = f[al] ?? 0,
          y = f[bl] ?? 0;
        const high = ((f[ah] ?? 0) - (f[bh] ?? 0) - (x >>> 0 < y >>> 0 ? 1 : 0)) | 0;
        f[to] = (x - y) | 0;
        f[to + 1] = high;
        return NEXT;
      };
    case 'and':
      return () => {
        f[to] = (f[al] ?? 0) & (f[bl] ?? 0);
        f[to + 1] = (f[ah] ?? 0) & (f[bh] ?? 0);
        return NEXT;
      };
    case 'or':
      return () => {
        f[to] = (f[al] ?? 0) | (f[bl] ?? 0);
        f[to + 1] = (f[ah] ?? 0) | (f[bh] ?? 0);
        return NEXT;
      };
    case 'xor':
      return () => {
        f[to] = (f[al] ?? 0) ^ (f[bl] ?? 0);
        f[to + 1] = (f[ah] ?? 0) ^ (f[bh] ?? 0);
        return NEXT;
      };
    case 'eq':
      return () => ((f[to] = f[al] === f[bl] && f[ah] === f[bh] ? 1 : 0), NEXT);
    case 'ne':
      return () => ((f[to] = f[al] === f[bl] && f[ah] === f[bh] ? 0 : 1), NEXT);
    case 'mul':
      return longProduct(f, to, a, b);
    default:
      return longShift(f, operation, to, a, b);
  }
}

/** The low 64 bits of a product, from products of 16-bit digits. */
function longProduct(f: Int32Array, to: number, a: Place, b: Place): Act {
  return () => {
    const x = f[a.low] ?? 0,
      y = f[b.low] ?? 0;
    const cross = Math.imul(f[a.high] ?? 0, y) + Math.imul(x, f[b.high] ?? 0);
    const x0 = x & 0xffff,
      x1 = x >>> 16,
      y0 = y & 0xffff,
      y1 = y >>> 16;
    const middle = x1 * y0 + ((x0 * y0) >>> 16);
    const other = x0 * y1 + (middle % 0x1_0000);
    f[to] = Math.imul(x, y);
    f[to + 1] = (x1 * y1 + Math.floor(middle / 0x1_0000) + Math.floor(other / 0x1_0000) + cross) | 0;
    return NEXT;
  };
}

function longShift(f: Int32Array, operation: BinaryOperation, to: number, a: Place, b: Place): Act | undefined {
  const {low: al, high: ah} = a;
  const {low: bl} = b;
  switch (operation) {
    case 'shl':
      return () => {
        const count = (f[bl] ?? 0) >>> 0,
          low = f[al] ?? 0,
          high = f[ah] ?? 0;
        f[to] = count >= 32 ? 0 : low << count;
        f[to + 1] =
          count >= 64 ? 0 : count >= 32 ? low << count : count === 0 ? high : (high << count) | (low >>> (32 - count));
        return NEXT;
      };
    case 'shr':
      return () => {
        const count = (f[bl] ?? 0) >>> 0,
          low = f[al] ?? 0,
          high = f[ah] ?? 0;
        f[to + 1] = count >= 32 ? 0 : high >>> count;
        f[to] =
          count >= 64 ? 0 : count >= 32 ? high >>> count : count === 0 ? low : (low >>> count) | (high << (32 - count));
        return NEXT;
      };
    case 'sar':
      return () => {
        const count = (f[bl] ?? 0) >>> 0,
          low = f[al] ?? 0,
          high = f[ah] ?? 0;
        f[to + 1] = count >= 32 ? high >> 31 : high >> count;
        f[to] =
          count >= 64
            ? high >> 31
            : count >= 32
              ? high >> count
              : count === 0
                ? low
                : (low >>> count) | (high << (32 - count));
        return NEXT;
      };
    default:
      return undefined;
  }
}

/** Any binary operation, as isa defines it. */
export function definedBinary(
  f: Int32Array,
  operation: BinaryOperation,
  to: number,
  a: Place,
  b: Place,
  widths: {readonly a: number; readonly b: number},
): Act {
  return () => {
    const value = binaryResult(operation, whole(f, a, widths.a), whole(f, b, widths.b), widths.a, widths.b);
    f[to] = Number(BigInt.asIntN(32, value));
    f[to + 1] = Number(BigInt.asIntN(32, value >> 32n));
    return NEXT;
  };
}

/** Any unary operation, as isa defines it. */
export function definedUnary(
  f: Int32Array,
  operation: UnaryOperation,
  to: number,
  a: Place,
  widths: {readonly from: number; readonly to: number},
): Act {
  return () => {
    const value = unaryResult(operation, whole(f, a, widths.from), widths.from, widths.to);
    f[to] = Number(BigInt.asIntN(32, value));
    f[to + 1] = Number(BigInt.asIntN(32, value >> 32n));
    return NEXT;
  };
}

function whole(f: Int32Array, place: Place, width: number): bigint {
  const low = BigInt((f[place.low] ?? 0) >>> 0);
  return width <= 32 ? low : (BigInt((f[place.high] ?? 0) >>> 0) << 32n) | low;
}

/** A unary operation from a value of up to 32 bits to one of up to 32 bits. Widening with zeros is no act at all. */
export function narrowUnary(
  f: Int32Array,
  operation: UnaryOperation,
  to: number,
  a: number,
  from: number,
  width: number,
): Act | undefined {
  const mask = maskOf(width);
  const unused = 32 - from;
  switch (operation) {
    case 'not':
      return () => ((f[to] = ~(f[a] ?? 0) & mask), NEXT);
    case 'neg':
      return () => ((f[to] = -(f[a] ?? 0) & mask), NEXT);
    case 'sext':
      return () => ((f[to] = (((f[a] ?? 0) << unused) >> unused) & mask), NEXT);
    case 'trunc':
      return () => ((f[to] = (f[a] ?? 0) & mask), NEXT);
    case 'parity':
      return () => ((f[to] = (PARITY[(f[a] ?? 0) & 0xff] ?? 0) >>> 2), NEXT);
    case 'ctz':
      return () => {
        const value = f[a] ?? 0;
        f[to] = value === 0 ? 0 : 31 - Math.clz32(value & -value);
        return NEXT;
      };
    case 'msb':
      return () => {
        const value = f[a] ?? 0;
        f[to] = value === 0 ? 0 : 31 - Math.clz32(value);
        return NEXT;
      };
    default:
      return undefined;
  }
}

/** Sign extension to 64 bits of a value of up to 32. */
export function longSignExtension(f: Int32Array, to: number, a: number, from: number): Act {
  const unused = 32 - from;
  return () => {
    const value = ((f[a] ?? 0) << unused) >> unused;
    f[to] = value;
    f[to + 1] = value >> 31;
    return NEXT;
  };
}

/** Bits [shift, shift + width) of a word, as a value of their own. */
export function extraction(f: Int32Array, to: number, a: number, shift: number, width: number): Act {
  const mask = maskOf(width);
  return () => ((f[to] = ((f[a] ?? 0) >>> shift) & mask), NEXT);
}

export function choice(f: Int32Array, to: number, condition: number, a: Place, b: Place): Act {
  return () => {
    const from = f[condition] === 1 ? a : b;
    const low = f[from.low] ?? 0;
    f[to + 1] = f[from.high] ?? 0;
    f[to] = low;
    return NEXT;
  };
}

export function copy(f: Int32Array, to: number, from: Place): Act {
  const {low, high} = from;
  return () => {
    f[to] = f[low] ?? 0;
    f[to + 1] = f[high] ?? 0;
    return NEXT;
  };
}
