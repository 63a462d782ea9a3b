// Where an access goes, as base, index and displacement: read off the sum that the recording makes of them, so that the act
// that accesses also adds.

import type {CodeSize, Operation, SegmentRegister} from '@hyperscope/isa';
import {SEGMENT} from '../../cpu/cell-indexes.js';
import {segmentIndex} from './data-path.js';
import type {Reach} from './memory-acts.js';
import {longBinary} from './value-acts.js';
import {NOT_COMPILED} from './values.js';
import type {Values} from './values.js';

interface Sum {
  base: number | undefined;
  index: number | undefined;
  scale: number;
  displacement: number;
}

export function reachOf(values: Values, codeSize: CodeSize, segment: SegmentRegister, offset: number): Reach {
  return codeSize === 64 ? longReach(values, segment, offset) : plainReach(values, segment, offset);
}

function plainReach(values: Values, segment: SegmentRegister, offset: number): Reach {
  const {zero} = values;
  const plain = {isLong: false, segment: segmentIndex(segment), baseHigh: zero, index: zero, scale: 0, displacement: 0};
  const widened = values.operation(offset);
  const inner = widened.op === 'unary' && widened.operation === 'zext' ? widened.a : undefined;
  const sum =
    inner !== undefined && values.widthOf(inner) === 32 && !values.isSettled(offset) && !values.isSettled(inner)
      ? sumOf(values, inner)
      : undefined;
  if (sum === undefined) return {...plain, base: values.low(offset)};
  return {
    ...plain,
    base: sum.base === undefined ? zero : values.place(sum.base).low,
    index: sum.index === undefined ? zero : values.place(sum.index).low,
    scale: sum.scale,
    displacement: sum.displacement,
  };
}

/** base + (index << scale) + displacement in 32 bits, in whatever order; undefined for any other sum. */
function sumOf(values: Values, id: number): Sum | undefined {
  const sum: Sum = {base: undefined, index: undefined, scale: 0, displacement: 0};
  const add = (term: number): boolean => {
    const operation = values.operation(term);
    if (values.isSettled(term)) return addTerm(sum, term);
    if (operation.op === 'binary' && operation.operation === 'add') return add(operation.a) && add(operation.b);
    if (operation.op === 'constant') {
      sum.displacement = (sum.displacement + Number(BigInt.asIntN(32, operation.value))) | 0;
      return true;
    }
    if (operation.op === 'binary' && operation.operation === 'shl') return addScaled(values, sum, operation);
    return addTerm(sum, term);
  };
  return add(id) ? sum : undefined;
}

function addTerm(sum: Sum, term: number): boolean {
  if (sum.base === undefined) sum.base = term;
  else if (sum.index === undefined) sum.index = term;
  else return false;
  return true;
}
function addScaled(values: Values, sum: Sum, {a, b}: Extract<Operation, {op: 'binary'}>): boolean {
  const scale = values.constantOf(b);
  if (scale === undefined || scale > 3n || sum.index !== undefined) return false;
  sum.index = a;
  sum.scale = Number(scale);
  return true;
}

/** In 64-bit mode only FS and GS have a base. */
function longReach(values: Values, segment: SegmentRegister, offset: number): Reach {
  const {base, baseHigh, displacement} = splitLong(values, offset);
  const reach = {isLong: true, segment: 0, index: values.zero, scale: 0};
  if (segment !== 'FS' && segment !== 'GS') return {...reach, base, baseHigh, displacement};
  const cell = 2 * SEGMENT[segment].base;
  const to = values.temporary();
  const act = longBinary(values.words, 'add', to, {low: base, high: baseHigh}, {low: cell, high: cell + 1});
  if (act === undefined) throw NOT_COMPILED;
  values.acts.push(act);
  return {...reach, base: to, baseHigh: to + 1, displacement};
}

function splitLong(values: Values, offset: number): Pick<Reach, 'base' | 'baseHigh' | 'displacement'> {
  const operation = values.operation(offset);
  if (!values.isSettled(offset) && operation.op === 'stackTop') {
    const delta = Number(operation.delta);
    const pointer = values.stackPointer;
    return {base: pointer, baseHigh: pointer + 1, displacement: delta};
  }
  if (!values.isSettled(offset) && operation.op === 'binary' && operation.operation === 'add') {
    const constant = values.constantOf(operation.b);
    const short = constant === undefined ? undefined : BigInt.asIntN(32, constant);
    if (short !== undefined && constant !== undefined && BigInt.asIntN(64, constant) === short) {
      const {low, high} = values.place(operation.a);
      return {base: low, baseHigh: high, displacement: Number(short)};
    }
  }
  const {low, high} = values.place(offset);
  return {base: low, baseHigh: high, displacement: 0};
}
