// The status flags that arithmetic leaves behind, on int32 words: what execution/arithmetic.ts says, for the compiled tier.
// The two are held together by a test over all rules, widths and edge values.

import {evenParity} from '@hyperscope/isa';

export const CF = 1,
  PF = 4,
  AF = 0x10,
  ZF = 0x40,
  SF = 0x80,
  OF = 0x800;
export const STATUS = CF | PF | AF | ZF | SF | OF;

/** PF by the low byte of a result. */
export const PARITY = Uint8Array.from({length: 256}, (_, byte) => (evenParity(byte) === 1 ? PF : 0));

/** SF, ZF and PF of a result of up to 32 bits; `top` is the number of its highest bit. */
export function resultFlags(r: number, top: number): number {
  return (r === 0 ? ZF : 0) | (((r >>> top) & 1) << 7) | (PARITY[r & 0xff] ?? 0);
}
/** All six after an addition, with or without carry. */
export function additionFlags(a: number, b: number, r: number, top: number): number {
  return (
    resultFlags(r, top) |
    ((((a & b) | ((a | b) & ~r)) >>> top) & 1) |
    ((((a ^ r) & (b ^ r)) >>> top) & 1 ? OF : 0) |
    ((a ^ b ^ r) & AF)
  );
}
/** All six after a subtraction, with or without borrow. */
export function subtractionFlags(a: number, b: number, r: number, top: number): number {
  return (
    resultFlags(r, top) |
    ((((~a & b) | ((~a | b) & r)) >>> top) & 1) |
    ((((a ^ b) & (a ^ r)) >>> top) & 1 ? OF : 0) |
    ((a ^ b ^ r) & AF)
  );
}

// The same of 64-bit results, in two words.

export function longResultFlags(low: number, high: number): number {
  return ((low | high) === 0 ? ZF : 0) | ((high >>> 31) << 7) | (PARITY[low & 0xff] ?? 0);
}
/** `nibble`: a ^ b ^ r of the low words. */
export function longAdditionFlags(ah: number, bh: number, low: number, high: number, nibble: number): number {
  return (
    longResultFlags(low, high) |
    (((ah & bh) | ((ah | bh) & ~high)) >>> 31) |
    ((((ah ^ high) & (bh ^ high)) >>> 31) << 11) |
    (nibble & AF)
  );
}
export function longSubtractionFlags(ah: number, bh: number, low: number, high: number, nibble: number): number {
  return (
    longResultFlags(low, high) |
    (((~ah & bh) | ((~ah | bh) & high)) >>> 31) |
    ((((ah ^ bh) & (ah ^ high)) >>> 31) << 11) |
    (nibble & AF)
  );
}
