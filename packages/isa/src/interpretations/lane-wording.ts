// Operations on lanes in words: `XMM0 + XMM1 in lanes of 8 bits`.

import type {Operation} from '../microcode/microcode.js';
import type {LaneOperation} from '../microcode/lane-operations.js';

const SIGNS: Readonly<Record<Exclude<LaneOperation, 'shuffle' | 'signs'>, string>> = {
  add: '+',
  sub: '−',
  adds: '+ (saturating, signed)',
  subs: '− (saturating, signed)',
  addu: '+ (saturating, unsigned)',
  subu: '− (saturating, unsigned)',
  eq: '=',
  gt: '> (signed)',
  minu: 'or the lesser',
  maxu: 'or the greater',
  mins: 'or the lesser (signed)',
  maxs: 'or the greater (signed)',
  avgu: 'averaged with',
  mullow: '× (low half)',
  mulhigh: '× (high half, signed)',
  mulhighu: '× (high half, unsigned)',
  unpackLow: 'interleaved, low halves, with',
  unpackHigh: 'interleaved, high halves, with',
  shl: '«',
  shr: '»',
  sar: '» (keeping the sign)',
};

/** `a` and `b` are the operands in words. */
export function laneWords({operation, lane}: Operation & {op: 'lanes'}, a: string, b: string): string {
  if (operation === 'signs') return `the sign bits of the ${lane}-bit lanes of ${a}`;
  if (operation === 'shuffle') return `the ${lane}-bit lanes of ${a} in the order ${b}`;
  return `${a} ${SIGNS[operation]} ${b}, in lanes of ${lane} bits`;
}
