// Operations on lanes: a vector is taken apart into integers of one width, and each pair gives one of the result.
// SDM vol. 1, "Programming With Intel MMX Technology": wraparound, signed and unsigned saturation.

import {assertUnreachable} from '@hyperscope/base';

/**
 *   add sub                 wrap around; `adds subs` saturate as signed, `addu subu` as unsigned numbers
 *   eq gt                   all ones where equal, or greater as signed numbers; else 0
 *   minu maxu mins maxs     the lesser or greater, unsigned or signed
 *   avgu                    (a + b + 1) » 1
 *   mullow mulhigh mulhighu the low half, or the high half, of the product
 *   unpackLow unpackHigh    lanes of the low (high) halves in turn: a0 b0 a1 b1 …
 *   shuffle                 lane i is lane (b » 2i) mod 4 of a, for four lanes; b is a number, not a vector
 *   shl shr sar             every lane by the count in the low 64 bits of b
 *   signs                   the most significant bit of each lane of a, as a number; b is not used
 */
export type LaneOperation =
  | 'add'
  | 'sub'
  | 'adds'
  | 'subs'
  | 'addu'
  | 'subu'
  | 'eq'
  | 'gt'
  | 'minu'
  | 'maxu'
  | 'mins'
  | 'maxs'
  | 'avgu'
  | 'mullow'
  | 'mulhigh'
  | 'mulhighu'
  | 'unpackLow'
  | 'unpackHigh'
  | 'shuffle'
  | 'shl'
  | 'shr'
  | 'sar'
  | 'signs';

export type LaneWidth = 8 | 16 | 32 | 64;

/** The result of an operation on two vectors of `width` bits, in lanes of `lane` bits. */
export function laneResult(operation: LaneOperation, lane: LaneWidth, a: bigint, b: bigint, width: number): bigint {
  const count = width / lane;
  switch (operation) {
    case 'unpackLow':
    case 'unpackHigh':
      return joined(count, lane, index => {
        const from = (index >> 1) + (operation === 'unpackLow' ? 0 : count / 2);
        return laneOf(index % 2 === 0 ? a : b, from, lane);
      });
    case 'shuffle':
      return joined(count, lane, index => laneOf(a, Number((b >> BigInt(2 * index)) & 3n), lane));
    case 'shl':
    case 'shr':
    case 'sar':
      return joined(count, lane, index => shifted(operation, laneOf(a, index, lane), BigInt.asUintN(64, b), lane));
    case 'signs':
      return joined(count, 1, index => laneOf(a, index, lane) >> BigInt(lane - 1));
    default:
      return joined(count, lane, index => pairResult(operation, laneOf(a, index, lane), laneOf(b, index, lane), lane));
  }
}

const laneOf = (vector: bigint, index: number, lane: number): bigint =>
  BigInt.asUintN(lane, vector >> BigInt(lane * index));

function joined(count: number, lane: number, laneAt: (index: number) => bigint): bigint {
  let vector = 0n;
  for (let index = count - 1; index >= 0; index--) {
    vector = (vector << BigInt(lane)) | BigInt.asUintN(lane, laneAt(index));
  }
  return vector;
}

function shifted(operation: 'shl' | 'shr' | 'sar', value: bigint, count: bigint, lane: number): bigint {
  const isTooFar = count >= BigInt(lane);
  if (operation === 'sar') return BigInt.asIntN(lane, value) >> (isTooFar ? BigInt(lane - 1) : count);
  if (isTooFar) return 0n;
  return operation === 'shl' ? value << count : value >> count;
}

type PairOperation = Exclude<LaneOperation, 'unpackLow' | 'unpackHigh' | 'shuffle' | 'shl' | 'shr' | 'sar' | 'signs'>;

function pairResult(operation: PairOperation, a: bigint, b: bigint, lane: number): bigint {
  const [x, y] = [BigInt.asIntN(lane, a), BigInt.asIntN(lane, b)];
  switch (operation) {
    case 'add':
      return a + b;
    case 'sub':
      return a - b;
    case 'adds':
      return clamped(x + y, -(1n << BigInt(lane - 1)), (1n << BigInt(lane - 1)) - 1n);
    case 'subs':
      return clamped(x - y, -(1n << BigInt(lane - 1)), (1n << BigInt(lane - 1)) - 1n);
    case 'addu':
      return clamped(a + b, 0n, (1n << BigInt(lane)) - 1n);
    case 'subu':
      return clamped(a - b, 0n, (1n << BigInt(lane)) - 1n);
    case 'eq':
      return a === b ? -1n : 0n;
    case 'gt':
      return x > y ? -1n : 0n;
    case 'minu':
      return a < b ? a : b;
    case 'maxu':
      return a > b ? a : b;
    case 'mins':
      return x < y ? x : y;
    case 'maxs':
      return x > y ? x : y;
    case 'avgu':
      return (a + b + 1n) >> 1n;
    case 'mullow':
      return a * b;
    case 'mulhigh':
      return (x * y) >> BigInt(lane);
    case 'mulhighu':
      return (a * b) >> BigInt(lane);
    default:
      return assertUnreachable(operation);
  }
}

const clamped = (value: bigint, low: bigint, high: bigint): bigint => (value < low ? low : value > high ? high : value);
