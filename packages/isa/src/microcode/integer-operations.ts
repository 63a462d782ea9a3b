// What the integer operations of the microcode give: defined once, for whoever executes or works out a recording.
// Values are BigInts that are always held unsigned at their width.

import {assertUnreachable} from '@hyperscope/base';
import type {BinaryOperation, UnaryOperation} from './microcode.js';

/** The width of both operands is `width` (CRC32 and shifts: of the left one; `rightWidth` is the other's); comparisons give 0n or 1n. A divisor of 0 was refused before. */
export function binaryResult(
  operation: BinaryOperation,
  a: bigint,
  b: bigint,
  width: number,
  rightWidth = width,
): bigint {
  switch (operation) {
    case 'add':
      return BigInt.asUintN(width, a + b);
    case 'sub':
      return BigInt.asUintN(width, a - b);
    case 'and':
      return a & b;
    case 'or':
      return a | b;
    case 'xor':
      return a ^ b;
    case 'mul':
      return BigInt.asUintN(width, a * b);
    case 'divu':
      return a / b;
    case 'remu':
      return a % b;
    case 'divs':
      return BigInt.asUintN(width, BigInt.asIntN(width, a) / BigInt.asIntN(width, b));
    case 'rems':
      return BigInt.asUintN(width, BigInt.asIntN(width, a) % BigInt.asIntN(width, b));
    case 'shl':
      return b >= BigInt(width) ? 0n : BigInt.asUintN(width, a << b);
    case 'shr':
      return b >= BigInt(width) ? 0n : a >> b;
    case 'sar':
      return BigInt.asUintN(width, BigInt.asIntN(width, a) >> (b >= BigInt(width) ? BigInt(width) : b));
    case 'eq':
      return a === b ? 1n : 0n;
    case 'ne':
      return a === b ? 0n : 1n;
    case 'gtu':
      return a > b ? 1n : 0n;
    case 'ltu':
      return a < b ? 1n : 0n;
    case 'lts':
      return BigInt.asIntN(width, a) < BigInt.asIntN(width, b) ? 1n : 0n;
    case 'pdep':
      return deposit(a, b);
    case 'pext':
      return extract(a, b);
    case 'crc32':
      return crc32(a, b, rightWidth);
    default:
      return assertUnreachable(operation);
  }
}

/** `from` is the width of the operand, `to` that of the result. */
export function unaryResult(operation: UnaryOperation, a: bigint, from: number, to: number): bigint {
  switch (operation) {
    case 'not':
      return BigInt.asUintN(to, ~a);
    case 'neg':
      return BigInt.asUintN(to, -a);
    case 'zext':
      return a;
    case 'sext':
      return BigInt.asUintN(to, BigInt.asIntN(from, a));
    case 'trunc':
      return BigInt.asUintN(to, a);
    case 'parity':
      return BigInt(evenParity(Number(a & 0xffn)));
    case 'ctz':
      return a === 0n ? 0n : BigInt((a & -a).toString(2).length - 1);
    case 'msb':
      return a === 0n ? 0n : BigInt(a.toString(2).length - 1);
    case 'popcnt':
      return BigInt(a.toString(2).replaceAll('0', '').length);
    case 'bswap':
      return swapBytes(a, to);
    default:
      return assertUnreachable(operation);
  }
}

/** PDEP: the low bits of `a`, in order, at the places where `mask` has ones. */
function deposit(a: bigint, mask: bigint): bigint {
  let result = 0n;
  for (let rest = mask, bits = a; rest !== 0n; bits >>= 1n) {
    const lowest = rest & -rest;
    if ((bits & 1n) === 1n) result |= lowest;
    rest ^= lowest;
  }
  return result;
}

/** PEXT: the bits of `a` where `mask` has ones, brought together. */
function extract(a: bigint, mask: bigint): bigint {
  let result = 0n;
  for (let rest = mask, to = 1n; rest !== 0n; to <<= 1n) {
    const lowest = rest & -rest;
    if ((a & lowest) !== 0n) result |= to;
    rest ^= lowest;
  }
  return result;
}

/** The polynomial 11EDC6F41h, bits reflected (SDM vol. 2, "CRC32—Accumulate CRC32 Value"). */
const CRC32C = 0x82f6_3b78;

function crc32(accumulator: bigint, data: bigint, width: number): bigint {
  let value = Number(accumulator & 0xffff_ffffn);
  for (let at = 0n; at < BigInt(width); at += 8n) {
    value ^= Number((data >> at) & 0xffn);
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ ((value & 1) === 0 ? 0 : CRC32C);
  }
  return BigInt(value >>> 0);
}

function swapBytes(value: bigint, width: number): bigint {
  let swapped = 0n;
  for (let at = 0n; at < BigInt(width); at += 8n) swapped = (swapped << 8n) | ((value >> at) & 0xffn);
  return swapped;
}

/** 1 when the number of ones in a byte is even. */
export function evenParity(byte: number): number {
  let folded = byte ^ (byte >> 4);
  folded ^= folded >> 2;
  return ((folded ^ (folded >> 1)) & 1) ^ 1;
}
