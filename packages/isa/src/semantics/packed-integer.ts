// What packed-integer instructions mean, in MMX and in XMM registers alike: SDM vol. 1, "MMX Instructions", "SSE2 128-Bit SIMD
// Integer Instructions", "SSE 64-Bit SIMD Integer Instructions". Each factory gives the meaning of one row of instructions.

import type {Semantics} from '../opcodes/form.js';
import type {LaneOperation, LaneWidth} from '../microcode/lane-operations.js';
import {operandAt, registerWidth, twoOperands} from './operand-access.js';
import {readSource, requireVectorUnit, useMmxRegisters, vectorWidth, writeVector} from './vector-checks.js';

/** PADDB, PCMPEQD, PSLLW …: destination and source, lane by lane. */
export const lanes =
  (operation: LaneOperation, lane: LaneWidth): Semantics =>
  (i, m) => {
    const [to, from] = twoOperands(i);
    const width = vectorWidth(to);
    requireVectorUnit(i, m);
    const right = readSource(m, from, width);
    const result = m.lanes(operation, lane, m.read(to, width), right);
    useMmxRegisters(i, m);
    writeVector(m, to, result);
  };

/** PXOR, PAND, ORPS …; `andn` complements the destination first. */
export const logic =
  (operation: 'and' | 'andn' | 'or' | 'xor'): Semantics =>
  (i, m) => {
    const [to, from] = twoOperands(i);
    const width = vectorWidth(to);
    requireVectorUnit(i, m);
    const right = readSource(m, from, width);
    const left = m.read(to, width);
    const result = operation === 'andn' ? left.not().and(right) : left[operation](right);
    useMmxRegisters(i, m);
    writeVector(m, to, result);
  };

/** PSHUFD, PSHUFW: four lanes of the source in the order that the immediate gives. */
export const SHUFFLE: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  const width = vectorWidth(to);
  requireVectorUnit(i, m);
  const source = readSource(m, from, width);
  const result = m.lanes('shuffle', width === 64 ? 16 : 32, source, m.read(operandAt(i, 2), 8));
  useMmxRegisters(i, m);
  writeVector(m, to, result);
};

/** PSLLDQ, PSRLDQ: the whole register by bytes; 16 or more clear it. */
export const byteShift =
  (direction: 'shl' | 'shr'): Semantics =>
  (i, m) => {
    const [to, count] = twoOperands(i);
    requireVectorUnit(i, m);
    const value = m.read(to, 128);
    const bits = m.read(count, 16).mul(8n);
    m.write(to, direction === 'shl' ? value.shiftLeft(bits) : value.shiftRight(bits));
  };

/** PMOVMSKB, MOVMSKPS, MOVMSKPD: the signs of the lanes as the low bits of a general register, the rest 0. */
export const signs =
  (lane: LaneWidth): Semantics =>
  (i, m) => {
    const [to, from] = twoOperands(i);
    requireVectorUnit(i, m);
    const source = m.read(from, vectorWidth(from));
    const mask = m.lanes('signs', lane, source, source).truncate(registerWidth(i));
    useMmxRegisters(i, m);
    m.write(to, mask);
  };
