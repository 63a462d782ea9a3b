// What decimal arithmetic instructions mean. SDM vol. 1, "Decimal Arithmetic Instructions".
// The flags that the manual leaves undefined: SF, ZF and PF follow AL, OF is cleared. No processor of ours could be asked.

import type {Semantics} from '../opcodes/form.js';
import type {Flag, Microcode} from '../microcode/microcode.js';
import type {Value} from '../microcode/value.js';
import {operandAt} from './operand-access.js';

const byteFlags = (al: Value): readonly (readonly [Flag, Value])[] => [
  ['SF', al.sign()],
  ['ZF', al.is(0n)],
  ['PF', al.parity()],
];

export const AAA: Semantics = (_, m) => adjustUnpacked(m, ax => ax.add(0x106n));
export const AAS: Semantics = (_, m) => adjustUnpacked(m, ax => ax.sub(0x106n));

/** AL beyond 9, or a carry out of its low digit: the next digit, in AH, takes one. AL keeps the low digit. */
function adjustUnpacked(m: Microcode, adjusted: (ax: Value) => Value): void {
  const ax = m.gpr('RAX', 16);
  const carries = ax.and(0xfn).above(9n).or(m.flag('AF'));
  const result = carries.choose(adjusted(ax), ax).and(0xff0fn);
  m.setGpr('RAX', result);
  m.setFlag('AF', carries);
  m.setFlag('CF', carries);
  for (const [flag, value] of byteFlags(result.truncate(8))) m.setUndefinedFlag(flag, value);
  m.setUndefinedFlag('OF', 0n);
}

export const DAA: Semantics = (_, m) => adjustPacked(m, (al, by) => al.add(by));
export const DAS: Semantics = (_, m) => adjustPacked(m, (al, by) => al.sub(by));

/** Each digit of AL that went beyond 9 is corrected by 6. */
function adjustPacked(m: Microcode, corrected: (al: Value, by: bigint) => Value): void {
  const al = m.gpr('RAX', 8),
    carry = m.flag('CF');
  const low = al.and(0xfn).above(9n).or(m.flag('AF'));
  const high = al.above(0x99n).or(carry);
  const first = low.choose(corrected(al, 6n), al);
  const result = high.choose(corrected(first, 0x60n), first);
  // DAS: the borrow of the first correction counts too (al < 6, and AF asked for it).
  const borrows = low.and(al.below(6n));
  const carries = m.instruction.mnemonic === 'DAS' ? high.or(borrows) : high;
  m.setGpr('RAX', result);
  m.setFlag('CF', carries);
  m.setFlag('AF', low);
  for (const [flag, value] of byteFlags(result)) m.setFlag(flag, value);
  m.setUndefinedFlag('OF', 0n);
}

/** AAM: AH and AL ← AL as two digits, of base ten unless the immediate says otherwise; #DE for base 0. */
export const AAM: Semantics = (i, m) => {
  const base = m.read(operandAt(i, 0), 8);
  m.faultIf(base.is(0n), '#DE');
  const al = m.gpr('RAX', 8);
  const [tens, ones] = [al.divideUnsigned(base), al.remainderUnsigned(base)];
  m.setGpr('RAX', m.concat(tens, ones));
  setDigitFlags(m, ones);
};

/** AAD: AL ← AH × base + AL; AH ← 0. */
export const AAD: Semantics = (i, m) => {
  const base = m.read(operandAt(i, 0), 8);
  const sum = m.gpr('RAX', 8).add(m.gpr('RAX', 8, true).mul(base));
  m.setGpr('RAX', sum.zeroExtend(16));
  setDigitFlags(m, sum);
};

function setDigitFlags(m: Microcode, al: Value): void {
  for (const [flag, value] of byteFlags(al)) m.setFlag(flag, value);
  for (const flag of ['OF', 'AF', 'CF'] as const) m.setUndefinedFlag(flag, 0n);
}

/** SALC: AL full of CF. In no manual of Intel's until late, and in every processor since the 8086. */
export const SALC: Semantics = (_, m) => m.setGpr('RAX', m.flag('CF').choose(0xffn, 0n, 8));
