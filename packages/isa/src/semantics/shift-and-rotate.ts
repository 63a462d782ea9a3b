// What shifts and rotates mean. SDM vol. 1, "Shift and Rotate Instructions".
// The count is masked to 5 bits (6 for 64-bit operands); a masked count of 0 changes no flag. Shifts by a Value give 0
// (or copies of the sign) from the width on, also where a subtraction of counts has wrapped: the formulas rely on it.
// Flags that the manual leaves undefined are set as measured on AMD Zen 4, and recorded as undefined.

import type {Semantics} from '../opcodes/form.js';
import type {Instruction} from '../instruction.js';
import type {Flag, Microcode} from '../microcode/microcode.js';
import type {Value} from '../microcode/value.js';
import {operandAt} from './operand-access.js';

/** A masked count: its value, and what is known of it when the instruction is decoded. */
interface Count {
  readonly value: Value;
  /** The count of an immediate form. */
  readonly fixed: number | undefined;
}

function readCount(i: Instruction, m: Microcode, index: number): Count {
  const operand = operandAt(i, index);
  const mask = i.width === 64 ? 63n : 31n;
  if (operand.kind !== 'immediate') return {value: m.read(operand, 8).and(mask), fixed: undefined};
  return {value: m.constant(operand.value & mask, 8), fixed: Number(operand.value & mask)};
}

/** `width − count`, as a count. */
const rest = (m: Microcode, count: Value): Value => m.constant(BigInt(m.instruction.width), 8).sub(count);

/** The bit of `a` that a count of 1 or more names from the left (shifts left) or from the right. */
const bitOutLeft = (m: Microcode, a: Value, count: Value): Value => a.shiftRight(rest(m, count)).truncate(1);
const bitOutRight = (a: Value, count: Value): Value => a.shiftRight(count.sub(1n)).truncate(1);
const nextToSign = (a: Value): Value => a.bit(a.width - 2);

/** For which counts, of those that are not 0, the manual defines a flag: as a number, and as a value. */
interface Domain {
  readonly includes: (count: number) => boolean;
  readonly inside: (count: Value) => Value;
  readonly outside: (count: Value) => Value;
}

/** Sets a flag where the count is not 0: as defined for the counts of the domain, as undefined for the others. */
function setCountedFlag(m: Microcode, count: Count, flag: Flag, value: Value, domain: Domain): void {
  if (count.fixed === undefined) {
    m.setFlag(flag, value, domain.inside(count.value));
    m.setUndefinedFlag(flag, value, domain.outside(count.value));
  } else if (domain.includes(count.fixed)) m.setFlag(flag, value);
  else m.setUndefinedFlag(flag, value);
}

const ONE: Domain = {includes: n => n === 1, inside: c => c.is(1n), outside: c => c.above(1n)};

const upTo = (last: number): Domain => ({
  includes: n => n <= last,
  inside: c => c.isNot(0n).and(c.above(BigInt(last)).not()),
  outside: c => c.above(BigInt(last)),
});

/** A flag that is defined for every count but 0. */
function setFlagUnlessZero(m: Microcode, count: Count, flag: Flag, value: Value): void {
  m.setFlag(flag, value, count.fixed === undefined ? count.value.isNot(0n) : undefined);
}

/** OF is defined for a count of 1; measured: the same formula serves for the others. */
function setOverflow(m: Microcode, count: Count, value: Value): void {
  setCountedFlag(m, count, 'OF', value, ONE);
}

/** SF, ZF, PF by the result; AF is undefined, measured: set. */
function setResultFlags(m: Microcode, count: Count, result: Value): void {
  setFlagUnlessZero(m, count, 'SF', result.sign());
  setFlagUnlessZero(m, count, 'ZF', result.is(0n));
  setFlagUnlessZero(m, count, 'PF', result.parity());
  m.setUndefinedFlag('AF', 1n, count.fixed === undefined ? count.value.isNot(0n) : undefined);
}

/** CF of SHL and SHR is undefined from the operand's width on, which only 8 and 16-bit operands can reach. */
function setShiftCarry(m: Microcode, count: Count, carry: Value): void {
  const width = m.instruction.width;
  if (width >= 32) setFlagUnlessZero(m, count, 'CF', carry);
  else setCountedFlag(m, count, 'CF', carry, upTo(width - 1));
}

interface Shift {
  readonly result: Value;
  readonly carry: Value;
  readonly overflow: Value;
}

function shift(
  i: Instruction,
  m: Microcode,
  compute: (a: Value, count: Value) => Shift,
  setCarry: typeof setShiftCarry,
): void {
  const operand = operandAt(i, 0);
  const count = readCount(i, m, 1);
  const a = m.read(operand, i.width, 'modify');
  if (count.fixed === 0) return m.write(operand, a);
  const {result, carry, overflow} = compute(a, count.value);
  m.write(operand, result);
  setCarry(m, count, carry);
  setOverflow(m, count, overflow);
  setResultFlags(m, count, result);
}

export const SHL: Semantics = (i, m) =>
  shift(
    i,
    m,
    (a, count) => {
      const result = a.shiftLeft(count),
        carry = bitOutLeft(m, a, count);
      return {result, carry, overflow: result.sign().xor(carry)};
    },
    setShiftCarry,
  );

export const SHR: Semantics = (i, m) =>
  shift(
    i,
    m,
    (a, count) => {
      const result = a.shiftRight(count);
      return {result, carry: bitOutRight(a, count), overflow: result.sign().xor(nextToSign(result))};
    },
    setShiftCarry,
  );

/** SAR: the sign stays, so OF is 0, and CF is defined for every count. */
export const SAR: Semantics = (i, m) =>
  shift(
    i,
    m,
    (a, count) => {
      const carry = a.shiftRightSigned(count.sub(1n)).truncate(1);
      return {result: a.shiftRightSigned(count), carry, overflow: m.constant(0n, 1)};
    },
    (_, count, carry) => setFlagUnlessZero(m, count, 'CF', carry),
  );

/** SHLD: the operand, shifted left, filled from the left end of the second one. */
export const SHLD: Semantics = (i, m) =>
  doubleShift(i, m, (a, b, count) => {
    const carry = bitOutLeft(m, a, count);
    // measured: OF is computed from the first operand alone; for a count of 1 this is the defined value.
    return {
      result: a
        .shiftLeft(count)
        .or(b.shiftRight(rest(m, count)))
        .or(
          wrapped(
            m,
            count,
            n => b.shiftLeft(n),
            n => b.shiftRight(n),
          ),
        ),
      carry,
      overflow: a.shiftLeft(count).sign().xor(carry),
    };
  });

/** SHRD: the operand, shifted right, filled from the right end of the second one. */
export const SHRD: Semantics = (i, m) =>
  doubleShift(i, m, (a, b, count) => {
    const result = a
      .shiftRight(count)
      .or(b.shiftLeft(rest(m, count)))
      .or(
        wrapped(
          m,
          count,
          n => b.shiftRight(n),
          n => b.shiftLeft(n),
        ),
      );
    return {result, carry: bitOutRight(a, count), overflow: result.sign().xor(nextToSign(result))};
  });

/** A 16-bit operand with a count above 16 has an undefined result; measured: the second operand comes in once more. */
function wrapped(m: Microcode, count: Value, onward: (count: Value) => Value, back: (count: Value) => Value): Value {
  if (m.instruction.width !== 16) return m.constant(0n, m.instruction.width);
  return onward(count.sub(16n)).or(back(m.constant(32n, 8).sub(count)));
}

function doubleShift(i: Instruction, m: Microcode, compute: (a: Value, b: Value, count: Value) => Shift): void {
  const operand = operandAt(i, 0);
  const count = readCount(i, m, 2);
  const a = m.read(operand, i.width, 'modify'),
    b = m.read(operandAt(i, 1), i.width);
  if (count.fixed === 0) return m.write(operand, a);
  const {result, carry, overflow} = compute(a, b, count.value);
  m.write(operand, result);
  if (i.width === 16) setCountedFlag(m, count, 'CF', carry, upTo(16));
  else setFlagUnlessZero(m, count, 'CF', carry);
  setOverflow(m, count, overflow);
  setResultFlags(m, count, result);
}

function rotate(i: Instruction, m: Microcode, compute: (a: Value, count: Value) => Shift): void {
  const operand = operandAt(i, 0);
  const count = readCount(i, m, 1);
  const a = m.read(operand, i.width, 'modify');
  if (count.fixed === 0) return m.write(operand, a);
  const {result, carry, overflow} = compute(a, count.value);
  m.write(operand, result);
  setFlagUnlessZero(m, count, 'CF', carry);
  setOverflow(m, count, overflow);
}

/** The count within a rotation of `period` bits. */
const within = (m: Microcode, count: Value, period: number): Value =>
  period >= (m.instruction.width === 64 ? 64 : 32) ? count : count.remainderUnsigned(BigInt(period));

export const ROL: Semantics = (i, m) =>
  rotate(i, m, (a, count) => {
    const n = within(m, count, i.width);
    const result = a.shiftLeft(n).or(a.shiftRight(rest(m, n)));
    const carry = result.truncate(1);
    return {result, carry, overflow: result.sign().xor(carry)};
  });

export const ROR: Semantics = (i, m) =>
  rotate(i, m, (a, count) => {
    const n = within(m, count, i.width);
    const result = a.shiftRight(n).or(a.shiftLeft(rest(m, n)));
    return {result, carry: result.sign(), overflow: result.sign().xor(nextToSign(result))};
  });

/** RCL: CF is one more bit of the ring, so a byte comes round after nine steps. */
export const RCL: Semantics = (i, m) =>
  rotate(i, m, (a, count) => {
    const n = within(m, count, i.width + 1),
      old = m.flag('CF');
    const carried = old.zeroExtend(i.width).shiftLeft(n.sub(1n));
    const result = a
      .shiftLeft(n)
      .or(carried)
      .or(a.shiftRight(rest(m, n).add(1n)));
    const carry = n.is(0n).choose(old, bitOutLeft(m, a, n));
    return {result, carry, overflow: result.sign().xor(carry)};
  });

export const RCR: Semantics = (i, m) =>
  rotate(i, m, (a, count) => {
    const n = within(m, count, i.width + 1),
      old = m.flag('CF');
    const carried = old.zeroExtend(i.width).shiftLeft(rest(m, n));
    const result = a
      .shiftRight(n)
      .or(carried)
      .or(a.shiftLeft(rest(m, n).add(1n)));
    const carry = n.is(0n).choose(old, bitOutRight(a, n));
    return {result, carry, overflow: result.sign().xor(nextToSign(result))};
  });
