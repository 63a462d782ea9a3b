// Acts that write general registers. A 32-bit write clears the upper half; 8 and 16-bit writes keep the rest (SDM vol. 1,
// "General-Purpose Registers in 64-Bit Mode").

import type {Operation} from '@hyperscope/isa';
import {GENERAL} from '../../cpu/cell-indexes.js';
import {NEXT} from './act.js';
import type {Act} from './act.js';
import {maskOf} from './value-acts.js';
import type {Place} from './value-acts.js';

export function registerWrite(
  f: Int32Array,
  {register, high, width}: Extract<Operation, {op: 'setRegister'}>,
  from: Place,
): Act {
  const to = 2 * GENERAL[register];
  const {low, high: upper} = from;
  if (width === 32)
    return () => {
      f[to] = f[low] ?? 0;
      f[to + 1] = 0;
      return NEXT;
    };
  if (width === 64)
    return () => {
      const word = f[upper] ?? 0;
      f[to] = f[low] ?? 0;
      f[to + 1] = word;
      return NEXT;
    };
  const shift = high ? 8 : 0;
  const mask = maskOf(width);
  const kept = ~(mask << shift);
  return () => {
    f[to] = ((f[to] ?? 0) & kept) | (((f[low] ?? 0) & mask) << shift);
    return NEXT;
  };
}
