// What bit and byte instructions mean. SDM vol. 1, "Bit and Byte Instructions".

import {assert} from '@hyperscope/base';
import type {Semantics} from '../opcodes/form.js';
import type {Instruction} from '../instruction.js';
import type {Address, Microcode} from '../microcode/microcode.js';
import type {Value} from '../microcode/value.js';
import {keepUndefined} from './arithmetic.js';
import {setLogicFlags} from './logic.js';
import {operandAt, twoOperands, writeWhere} from './operand-access.js';

export const BT: Semantics = (i, m) => bitTest(i, m, undefined);
export const BTS: Semantics = (i, m) => bitTest(i, m, (a, bit) => a.or(bit));
export const BTR: Semantics = (i, m) => bitTest(i, m, (a, bit) => a.and(bit.not()));
export const BTC: Semantics = (i, m) => bitTest(i, m, (a, bit) => a.xor(bit));

/** CF ← the bit; then the bit may change. ZF stays; OF SF AF PF are undefined, measured: they stay too. */
function bitTest(i: Instruction, m: Microcode, change: ((a: Value, bit: Value) => Value) | undefined): void {
  const [base, offset] = twoOperands(i);
  const index = m.read(offset, offset.kind === 'immediate' ? 8 : i.width);
  const at = index.and(BigInt(i.width - 1));
  const address = base.kind === 'memory' ? bitAddress(i, m, index) : undefined;
  const access = change === undefined ? 'read' : 'modify';
  const a = address === undefined ? m.read(base, i.width) : m.load(address, i.width, access);
  if (change !== undefined) {
    const changed = change(a, m.constant(1n, i.width).shiftLeft(at));
    if (address === undefined) m.write(base, changed);
    else m.store(address, changed);
  }
  m.setFlag('CF', a.shiftRight(at).truncate(1));
  keepUndefined(m, ['OF', 'SF', 'AF', 'PF']);
}

/** A bit offset in a register reaches beyond the operand: bit −1 is in the word before. SDM vol. 1, "Bit Strings". */
function bitAddress(i: Instruction, m: Microcode, index: Value): Address {
  const [base, offset] = twoOperands(i);
  assert(base.kind === 'memory', 'a bit string is in memory');
  const address = m.address(base);
  if (offset.kind === 'immediate') return address;
  const words = index.signExtend(64).shiftRightSigned(BigInt(Math.log2(i.width)));
  const sum = address.offset.add(words.mul(BigInt(i.width / 8)));
  return {segment: address.segment, offset: i.addressSize === 64 ? sum : sum.truncate(i.addressSize).zeroExtend(64)};
}

export const BSF: Semantics = (i, m) => bitScan(i, m, source => source.lowestBit());
export const BSR: Semantics = (i, m) => bitScan(i, m, source => source.highestBit());

/**
 * ZF says that the source is 0; the destination is undefined then, measured: it stays, upper half included. The other flags
 * are undefined, measured: PF by the index that was found (0 when none was), CF OF SF AF cleared.
 */
function bitScan(i: Instruction, m: Microcode, scan: (source: Value) => Value): void {
  const [to, from] = twoOperands(i);
  const source = m.read(from, i.width);
  const zero = source.is(0n),
    index = scan(source);
  writeWhere(m, to, zero.not(), index);
  m.setFlag('ZF', zero);
  m.setUndefinedFlag('PF', index.parity());
  for (const flag of ['CF', 'OF', 'SF', 'AF'] as const) m.setUndefinedFlag(flag, 0n);
}

/** SETcc: a byte that is 0 or 1. */
export const SETcc: Semantics = (i, m) => {
  assert(i.condition !== undefined, 'SETcc has a condition');
  m.write(operandAt(i, 0), m.condition(i.condition).zeroExtend(8));
};

/** TEST: AND without the result. */
export const TEST: Semantics = (i, m) => {
  const [first, second] = twoOperands(i);
  const a = m.read(first, i.width),
    b = m.read(second, i.width);
  setLogicFlags(m, a, b, a.and(b));
};
