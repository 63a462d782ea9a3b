// What binary arithmetic means. SDM vol. 1, "Binary Arithmetic Instructions".
// Flags that the manual leaves undefined are set as measured on AMD Zen 4, and recorded as undefined.

import type {Semantics} from '../opcodes/form.js';
import {doubled} from '../microcode/microcode.js';
import type {Flag, Microcode} from '../microcode/microcode.js';
import type {Value} from '../microcode/value.js';
import {operandAt, twoOperands} from './operand-access.js';

/** ADD. Every encoding of ADD is this function; widths and operands come from the opcode table. */
export const ADD: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  const a = m.read(to, i.width, 'modify'),
    b = m.read(from, i.width);
  const sum = a.add(b);
  m.write(to, sum);
  m.setFlags('add', a, b, sum);
};

export const ADC: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  const a = m.read(to, i.width, 'modify'),
    b = m.read(from, i.width);
  const sum = a.add(b).add(m.flag('CF').zeroExtend(i.width));
  m.write(to, sum);
  m.setFlags('adc', a, b, sum);
};

export const SUB: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  const a = m.read(to, i.width, 'modify'),
    b = m.read(from, i.width);
  const difference = a.sub(b);
  m.write(to, difference);
  m.setFlags('sub', a, b, difference);
};

export const SBB: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  const a = m.read(to, i.width, 'modify'),
    b = m.read(from, i.width);
  const difference = a.sub(b).sub(m.flag('CF').zeroExtend(i.width));
  m.write(to, difference);
  m.setFlags('sbb', a, b, difference);
};

/** CMP: SUB without the result. */
export const CMP: Semantics = (i, m) => {
  const [first, second] = twoOperands(i);
  const a = m.read(first, i.width),
    b = m.read(second, i.width);
  m.setFlags('sub', a, b, a.sub(b));
};

/** INC and DEC leave CF alone. */
export const INC: Semantics = (i, m) => {
  const operand = operandAt(i, 0);
  const a = m.read(operand, i.width, 'modify'),
    one = m.constant(1n, i.width);
  const sum = a.add(one);
  m.write(operand, sum);
  m.setFlags('inc', a, one, sum);
};

export const DEC: Semantics = (i, m) => {
  const operand = operandAt(i, 0);
  const a = m.read(operand, i.width, 'modify'),
    one = m.constant(1n, i.width);
  const difference = a.sub(one);
  m.write(operand, difference);
  m.setFlags('dec', a, one, difference);
};

/** NEG: 0 − a. */
export const NEG: Semantics = (i, m) => {
  const operand = operandAt(i, 0);
  const a = m.read(operand, i.width, 'modify'),
    zero = m.constant(0n, i.width);
  const negated = zero.sub(a);
  m.write(operand, negated);
  m.setFlags('sub', zero, a, negated);
};

/** MUL: rDX:rAX ← rAX × operand (AX ← AL × operand for bytes). */
export const MUL: Semantics = (i, m) => {
  const wide = doubled(i.width);
  const product = m
    .gpr('RAX', i.width)
    .zeroExtend(wide)
    .mul(m.read(operandAt(i, 0), i.width).zeroExtend(wide));
  const high = product.shiftRight(BigInt(i.width)).truncate(i.width);
  setProduct(m, product);
  setProductFlags(m, high.isNot(0n));
};

/** IMUL with one operand: as MUL, signed. */
export const IMUL: Semantics = (i, m) => {
  const wide = doubled(i.width);
  const product = m
    .gpr('RAX', i.width)
    .signExtend(wide)
    .mul(m.read(operandAt(i, 0), i.width).signExtend(wide));
  setProduct(m, product);
  setProductFlags(m, product.isNot(product.truncate(i.width).signExtend(wide)));
};

/** IMUL with two or three operands: the product, truncated to its destination. */
export const IMUL_TRUNCATED: Semantics = (i, m) => {
  const wide = doubled(i.width);
  const [to, second] = twoOperands(i);
  const a = m.read(i.operands.length === 3 ? second : to, i.width);
  const b = m.read(i.operands.length === 3 ? operandAt(i, 2) : second, i.width);
  const product = a.signExtend(wide).mul(b.signExtend(wide));
  const low = product.truncate(i.width);
  m.write(to, low);
  setProductFlags(m, product.isNot(low.signExtend(wide)));
};

/** A double-width product goes to AX, or to rDX:rAX. */
function setProduct(m: Microcode, product: Value): void {
  const {width} = m.instruction;
  if (width === 8) return m.setGpr('RAX', product);
  m.setGpr('RAX', product.truncate(width));
  m.setGpr('RDX', product.shiftRight(BigInt(width)).truncate(width));
}

/** CF and OF say whether the product needs its upper half; measured: the others, undefined, stay. */
function setProductFlags(m: Microcode, overflow: Value): void {
  m.setFlag('CF', overflow);
  m.setFlag('OF', overflow);
  keepUndefined(m, ['SF', 'ZF', 'AF', 'PF']);
}

/** Flags that the manual leaves undefined and that the measured processor leaves as they were. */
export function keepUndefined(m: Microcode, flags: readonly Flag[]): void {
  for (const flag of flags) m.setUndefinedFlag(flag, m.flag(flag));
}

/** DIV: #DE for a zero divisor and for a quotient that does not fit. */
export const DIV: Semantics = (i, m) => {
  const wide = doubled(i.width);
  const divisor = m.read(operandAt(i, 0), i.width);
  m.faultIf(divisor.is(0n), '#DE');
  const dividend = readDividend(m),
    wideDivisor = divisor.zeroExtend(wide);
  const quotient = dividend.divideUnsigned(wideDivisor);
  m.faultIf(quotient.above((1n << BigInt(i.width)) - 1n), '#DE');
  setQuotient(m, quotient, dividend.remainderUnsigned(wideDivisor));
};

/** IDIV: as DIV, signed; the quotient is rounded towards zero. */
export const IDIV: Semantics = (i, m) => {
  const wide = doubled(i.width);
  const divisor = m.read(operandAt(i, 0), i.width);
  m.faultIf(divisor.is(0n), '#DE');
  const dividend = readDividend(m),
    wideDivisor = divisor.signExtend(wide);
  const quotient = dividend.divideSigned(wideDivisor);
  m.faultIf(quotient.isNot(quotient.truncate(i.width).signExtend(wide)), '#DE');
  setQuotient(m, quotient, dividend.remainderSigned(wideDivisor));
};

/** AX, or rDX:rAX. */
function readDividend(m: Microcode): Value {
  const {width} = m.instruction;
  return width === 8 ? m.gpr('RAX', 16) : m.concat(m.gpr('RDX', width), m.gpr('RAX', width));
}

/** Measured: AF is set, SF, ZF and PF are cleared, CF and OF stay. All six are undefined. */
function setQuotient(m: Microcode, quotient: Value, remainder: Value): void {
  const {width} = m.instruction;
  m.setGpr('RAX', quotient.truncate(width));
  if (width === 8) m.setGpr('RAX', remainder.truncate(8), true);
  else m.setGpr('RDX', remainder.truncate(width));
  m.setUndefinedFlag('AF', 1n);
  for (const flag of ['SF', 'ZF', 'PF'] as const) m.setUndefinedFlag(flag, 0n);
  keepUndefined(m, ['CF', 'OF']);
}
