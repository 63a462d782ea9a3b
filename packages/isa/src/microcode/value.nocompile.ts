// What must not compile: a definition cannot depend on what only the running guest knows.
// Checked by tsc: an unused @ts-expect-error is itself an error.

import type {Microcode} from './microcode.js';

export function notANumber(m: Microcode): unknown {
  // @ts-expect-error  a guest value is not a number
  return m.cpl + m.iopl;
}

export function notComparable(m: Microcode): unknown {
  // @ts-expect-error  nor comparable to one
  return m.cpl === 0n;
}

export function notOrdered(m: Microcode): unknown {
  // @ts-expect-error  nor ordered
  return m.cpl > 2n;
}

export function notAnIndex(m: Microcode, table: readonly string[]): unknown {
  // @ts-expect-error  nor an index
  return table[m.cpl];
}
