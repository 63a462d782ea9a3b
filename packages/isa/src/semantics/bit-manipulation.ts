// What bit counts, BMI1, BMI2, ADX and CRC32 mean. The undefined flags are those of a Zen 4 (testing/zen4-results.txt).

import type {Semantics} from '../opcodes/form.js';
import type {Instruction} from '../instruction.js';
import type {Flag, Microcode} from '../microcode/microcode.js';
import {doubled} from '../microcode/microcode.js';
import type {Value} from '../microcode/value.js';
import {keepUndefined} from './arithmetic.js';
import {operandAt, registerWidth, twoOperands} from './operand-access.js';

const clear = (m: Microcode, flags: readonly Flag[]): void => flags.forEach(flag => m.setFlag(flag, 0n));

/** POPCNT: every flag is defined. */
export const POPCNT: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  const source = m.read(from, i.width);
  m.write(to, source.ones());
  m.setFlag('ZF', source.is(0n));
  clear(m, ['CF', 'OF', 'SF', 'AF', 'PF']);
};

export const TZCNT: Semantics = (i, m) => count(i, m, source => source.lowestBit());
export const LZCNT: Semantics = (i, m) =>
  count(i, m, source => m.constant(BigInt(i.width - 1), i.width).sub(source.highestBit()));

/** CF: the source was 0, and the count is the operand size. ZF: the count is 0. */
function count(i: Instruction, m: Microcode, zeros: (source: Value) => Value): void {
  const [to, from] = twoOperands(i);
  const source = m.read(from, i.width);
  const none = source.is(0n);
  const result = none.choose(BigInt(i.width), zeros(source));
  m.write(to, result);
  m.setFlag('CF', none);
  m.setFlag('ZF', result.is(0n));
  for (const flag of ['SF', 'AF', 'PF'] as const) m.setUndefinedFlag(flag, 0n);
  keepUndefined(m, ['OF']);
}

/** CRC32: the accumulator is the low half of the destination; no flags. */
export const CRC32: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  const data = m.read(from, i.form.operandTypes[1] === 'r/m8' ? 8 : i.width);
  const crc = m.read(to, 32).crc32(data);
  m.write(to, registerWidth(i) === 64 ? crc.zeroExtend(64) : crc);
};

export const ADCX: Semantics = (i, m) => addWithOneFlag(i, m, 'CF');
export const ADOX: Semantics = (i, m) => addWithOneFlag(i, m, 'OF');

/** ADC with a carry flag of its own: two chains of additions can run side by side. */
function addWithOneFlag(i: Instruction, m: Microcode, flag: 'CF' | 'OF'): void {
  const [to, from] = twoOperands(i);
  const width = registerWidth(i),
    wide = doubled(width);
  const sum = m
    .read(to, width)
    .zeroExtend(wide)
    .add(m.read(from, width).zeroExtend(wide))
    .add(m.flag(flag).zeroExtend(wide));
  m.write(to, sum.truncate(width));
  m.setFlag(flag, sum.bit(width));
}

export const ANDN: Semantics = (i, m) => {
  const [to, inverted] = twoOperands(i);
  const result = m
    .read(inverted, i.width)
    .not()
    .and(m.read(operandAt(i, 2), i.width));
  m.write(to, result);
  setResultFlags(m, result, m.constant(0n, 1));
  m.setUndefinedFlag('PF', result.parity());
};

/** SF and ZF by the result, OF cleared, CF as told. AF is undefined; measured: cleared. */
function setResultFlags(m: Microcode, result: Value, carry: Value): void {
  m.setFlag('CF', carry);
  m.setFlag('ZF', result.is(0n));
  m.setFlag('SF', result.sign());
  m.setFlag('OF', 0n);
  m.setUndefinedFlag('AF', 0n);
}

export const BLSR: Semantics = (i, m) => lowestBit(i, m, (a, less) => ({result: a.and(less), carry: a.is(0n)}));
export const BLSMSK: Semantics = (i, m) => lowestBit(i, m, (a, less) => ({result: a.xor(less), carry: a.is(0n)}));
export const BLSI: Semantics = (i, m) => lowestBit(i, m, a => ({result: a.and(a.negate()), carry: a.isNot(0n)}));

/** What can be done with the lowest 1 of a number by borrowing from it. */
function lowestBit(
  i: Instruction,
  m: Microcode,
  combine: (a: Value, less: Value) => {readonly result: Value; readonly carry: Value},
): void {
  const [to, from] = twoOperands(i);
  const a = m.read(from, i.width);
  const {result, carry} = combine(a, a.sub(1n));
  m.write(to, result);
  setResultFlags(m, result, carry);
  m.setUndefinedFlag('PF', result.parity());
}

/** BEXTR: bits from `start` (7:0 of the third operand), `length` (15:8) of them. */
export const BEXTR: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  const source = m.read(from, i.width),
    control = m.read(operandAt(i, 2), i.width);
  const start = control.and(0xffn),
    length = control.shiftRight(8n).and(0xffn);
  const ones = m.constant(1n, i.width).shiftLeft(length).sub(1n);
  const result = source.shiftRight(start).and(ones);
  m.write(to, result);
  m.setFlag('ZF', result.is(0n));
  clear(m, ['CF', 'OF']);
  m.setUndefinedFlag('PF', result.parity());
  m.setUndefinedFlag('AF', 1n);
  m.setUndefinedFlag('SF', 0n);
};

/** BZHI: zeros from bit `index` (7:0 of the third operand) upwards. CF: there was no such bit. */
export const BZHI: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  const source = m.read(from, i.width),
    index = m.read(operandAt(i, 2), i.width).and(0xffn);
  const beyond = index.above(BigInt(i.width - 1));
  const ones = m.constant(1n, i.width).shiftLeft(index).sub(1n);
  const result = source.and(ones);
  m.write(to, result);
  setResultFlags(m, result, beyond);
  m.setUndefinedFlag('PF', result.parity());
};

export const PDEP: Semantics = (i, m) =>
  m.write(operandAt(i, 0), m.read(operandAt(i, 1), i.width).scatter(m.read(operandAt(i, 2), i.width)));
export const PEXT: Semantics = (i, m) =>
  m.write(operandAt(i, 0), m.read(operandAt(i, 1), i.width).gather(m.read(operandAt(i, 2), i.width)));

/** MULX: rDX × the third operand; when both destinations are one register, the high half stays. No flags. */
export const MULX: Semantics = (i, m) => {
  const [high, low] = twoOperands(i);
  const wide = doubled(i.width);
  const product = m
    .gpr('RDX', i.width)
    .zeroExtend(wide)
    .mul(m.read(operandAt(i, 2), i.width).zeroExtend(wide));
  m.write(low, product.truncate(i.width));
  m.write(high, product.shiftRight(BigInt(i.width)).truncate(i.width));
};

/** RORX: a rotation without flags. */
export const RORX: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  const source = m.read(from, i.width),
    amount = m.read(operandAt(i, 2), 8).and(BigInt(i.width - 1));
  const rest = m.constant(BigInt(i.width), 8).sub(amount);
  m.write(to, source.shiftRight(amount).or(source.shiftLeft(rest)));
};

export const SHLX: Semantics = (i, m) => shift(i, m, (a, by) => a.shiftLeft(by));
export const SHRX: Semantics = (i, m) => shift(i, m, (a, by) => a.shiftRight(by));
export const SARX: Semantics = (i, m) => shift(i, m, (a, by) => a.shiftRightSigned(by));

function shift(i: Instruction, m: Microcode, shifted: (a: Value, by: Value) => Value): void {
  const [to, from] = twoOperands(i);
  const amount = m.read(operandAt(i, 2), i.width).and(BigInt(i.width - 1));
  m.write(to, shifted(m.read(from, i.width), amount));
}
