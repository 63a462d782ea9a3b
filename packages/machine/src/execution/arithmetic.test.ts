// Flags and operations against arithmetic that is wide enough not to overflow.

import fc from 'fast-check';
import {expect, test} from 'vitest';
import {binaryResult, unaryResult} from '@hyperscope/isa';
import {applyFlagRule} from './arithmetic.js';

const WIDTHS = [8, 16, 32, 64] as const;
const operands = fc.constantFrom(...WIDTHS).chain(width =>
  fc.record({
    width: fc.constant(width),
    a: fc.bigInt(0n, (1n << BigInt(width)) - 1n),
    b: fc.bigInt(0n, (1n << BigInt(width)) - 1n),
    carry: fc.constantFrom(0n, 1n),
  }),
);

const CF = 1n,
  PF = 4n,
  AF = 0x10n,
  ZF = 0x40n,
  SF = 0x80n,
  OF = 0x800n;

function expected(width: number, exact: bigint, signedExact: bigint, nibble: bigint): bigint {
  const result = BigInt.asUintN(width, exact);
  const ones = (result & 0xffn).toString(2).replaceAll('0', '').length;
  return (
    (exact !== result ? CF : 0n) |
    (BigInt.asIntN(width, result) !== signedExact ? OF : 0n) |
    (result === 0n ? ZF : 0n) |
    (BigInt.asIntN(width, result) < 0n ? SF : 0n) |
    (ones % 2 === 0 ? PF : 0n) |
    (nibble < 0n || nibble > 15n ? AF : 0n)
  );
}

test('ADD and ADC: carry, overflow and the rest are those of the exact sum', () => {
  fc.assert(
    fc.property(operands, ({width, a, b, carry}) => {
      const exact = a + b + carry;
      const signed = BigInt.asIntN(width, a) + BigInt.asIntN(width, b) + carry;
      const flags = applyFlagRule(carry === 1n ? 'adc' : 'add', 0, a, b, BigInt.asUintN(width, exact), width);
      expect(BigInt(flags)).toBe(expected(width, exact, signed, (a & 15n) + (b & 15n) + carry));
    }),
  );
});

test('SUB and SBB: borrow, overflow and the rest are those of the exact difference', () => {
  fc.assert(
    fc.property(operands, ({width, a, b, carry}) => {
      const exact = a - b - carry;
      const signed = BigInt.asIntN(width, a) - BigInt.asIntN(width, b) - carry;
      const flags = applyFlagRule(carry === 1n ? 'sbb' : 'sub', 0, a, b, BigInt.asUintN(width, exact), width);
      expect(BigInt(flags)).toBe(expected(width, exact, signed, (a & 15n) - (b & 15n) - carry));
    }),
  );
});

test('INC and DEC keep CF and every flag that is not a status flag', () => {
  const kept = 0x202 | Number(CF);
  expect(applyFlagRule('inc', kept, 0xffn, 1n, 0n, 8) & (kept | Number(ZF))).toBe(kept | Number(ZF));
  expect(applyFlagRule('dec', 0x202, 0n, 1n, 0xffn, 8) & Number(CF)).toBe(0);
});

test('logic clears CF and OF', () => {
  expect(applyFlagRule('logic', Number(CF | OF), 3n, 1n, 1n, 32)).toBe(0);
});

test('signed division rounds towards zero and the remainder has the sign of the dividend', () => {
  fc.assert(
    fc.property(
      operands.filter(({b}) => b !== 0n),
      ({width, a, b}) => {
        const quotient = BigInt.asIntN(width, binaryResult('divs', a, b, width)),
          remainder = BigInt.asIntN(width, binaryResult('rems', a, b, width));
        const [x, y] = [BigInt.asIntN(width, a), BigInt.asIntN(width, b)];
        // The one quotient that does not fit is refused before a division is carried out.
        fc.pre(!(y === -1n && x === -(1n << BigInt(width - 1))));
        expect(quotient * y + remainder).toBe(x);
        expect(remainder === 0n || remainder < 0n === x < 0n).toBe(true);
      },
    ),
  );
});

test('shifts by the width or more give 0, or the sign', () => {
  expect([
    binaryResult('shl', 1n, 64n, 32),
    binaryResult('shr', 1n, 64n, 32),
    binaryResult('sar', 0x8000_0000n, 64n, 32),
  ]).toEqual([0n, 0n, 0xffff_ffffn]);
});

test('bit scans and byte swaps', () => {
  expect([
    unaryResult('ctz', 0x50n, 32, 32),
    unaryResult('msb', 0x50n, 32, 32),
    unaryResult('bswap', 0x0102_0304n, 32, 32),
  ]).toEqual([4n, 6n, 0x0403_0201n]);
  fc.assert(
    fc.property(operands, ({width, a}) => {
      fc.pre(width >= 32);
      expect(unaryResult('bswap', unaryResult('bswap', a, width, width), width, width)).toBe(a);
    }),
  );
});
