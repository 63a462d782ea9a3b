// What transfers of control mean. SDM vol. 1, "Control Transfer Instructions". Near ones are spelled out; far ones go
// through descriptors, gates and stacks, and are helpers that `machine` implements.

import {assert} from '@hyperscope/base';
import type {Semantics} from '../opcodes/form.js';
import type {Instruction, Operand} from '../instruction.js';
import {HELPERS} from '../microcode/helpers.js';
import type {Microcode} from '../microcode/microcode.js';
import type {Value} from '../microcode/value.js';
import {memoryOperand, operandAt} from './operand-access.js';
import {requireIoplInVirtual8086} from './privilege.js';

/** Where a near branch goes, truncated to the operand size. */
function nearTarget(i: Instruction, m: Microcode, operand: Operand): Value {
  if (operand.kind !== 'relative') return m.read(operand, i.width).zeroExtend(64);
  const target = m.nextRip.add(m.constant(BigInt.asUintN(64, operand.displacement), 64));
  return i.width === 64 ? target : target.truncate(i.width).zeroExtend(64);
}

export const JMP: Semantics = (i, m) => {
  const target = nearTarget(i, m, operandAt(i, 0));
  m.checkTarget(target);
  m.jump(target);
};

export const Jcc: Semantics = (i, m) => {
  assert(i.condition !== undefined, 'Jcc has a condition');
  const taken = m.condition(i.condition),
    target = nearTarget(i, m, operandAt(i, 0));
  m.checkTarget(target, taken);
  m.jump(target, taken);
};

/** JCXZ, JECXZ, JRCXZ: the counter has the address size. */
export const JCXZ: Semantics = (i, m) => {
  const taken = m.gpr('RCX', i.addressSize).is(0n),
    target = nearTarget(i, m, operandAt(i, 0));
  m.checkTarget(target, taken);
  m.jump(target, taken);
};

/** LOOP, LOOPE, LOOPNE: the counter has the address size; no flag changes. */
export const LOOP: Semantics = (i, m) => {
  const count = m.gpr('RCX', i.addressSize).sub(1n),
    counted = count.isNot(0n);
  const taken = i.mnemonic === 'LOOP' ? counted : counted.and(m.condition(i.mnemonic === 'LOOPE' ? 'Z' : 'NZ'));
  const target = nearTarget(i, m, operandAt(i, 0));
  m.checkTarget(target, taken);
  m.setGpr('RCX', count);
  m.jump(target, taken);
};

export const CALL: Semantics = (i, m) => {
  const target = nearTarget(i, m, operandAt(i, 0));
  m.checkTarget(target);
  m.push(i.width === 64 ? m.nextRip : m.nextRip.truncate(i.width));
  m.jump(target);
};

/** RET, and RET n, which releases n more bytes. */
export const RET: Semantics = (i, m) => {
  const target = m.load(m.stackSlot(0n), i.width).zeroExtend(64);
  m.checkTarget(target);
  m.moveStack(BigInt(i.width / 8) + releasedBytes(i));
  m.jump(target);
};

const releasedBytes = (i: Instruction): bigint => (i.operands[0]?.kind === 'immediate' ? i.operands[0].value : 0n);

export const JMP_FAR: Semantics = (i, m) => m.invoke(HELPERS.farJump, ...farPointer(i, m));
export const CALL_FAR: Semantics = (i, m) => m.invoke(HELPERS.farCall, ...farPointer(i, m));

/** Selector and offset, from the instruction or from memory (offset first, selector above it). */
function farPointer(i: Instruction, m: Microcode): [Value, Value] {
  const operand = operandAt(i, 0);
  if (operand.kind === 'far') return [m.constant(BigInt(operand.selector), 16), m.constant(operand.offset, 64)];
  const {segment, offset} = m.address(memoryOperand(i, 0));
  const target = m.load({segment, offset}, i.width).zeroExtend(64);
  return [m.load({segment, offset: offset.add(BigInt(i.width / 8))}, 16), target];
}

export const RETF: Semantics = (i, m) => m.invoke(HELPERS.farReturn, m.constant(releasedBytes(i), 16));

export const IRET: Semantics = (i, m) => {
  requireIoplInVirtual8086(m, i.width === 16 ? 'unless VME' : 'always');
  m.intercept('IRET');
  m.invoke(HELPERS.interruptReturn);
};

/**
 * INT n. Whether the gate lets this privilege level through is checked in delivery; and with CR4.VME whether the 8086 program
 * handles this interrupt itself.
 */
export const INT: Semantics = (i, m) => {
  requireIoplInVirtual8086(m, 'unless VME');
  const vector = m.read(operandAt(i, 0), 8);
  m.intercept('INTn', vector);
  m.invoke(HELPERS.softwareInterrupt, vector);
};

export const INT3: Semantics = (_, m) => m.invoke(HELPERS.softwareInterrupt, m.constant(3n, 8));

/** INT1: a debug exception that no debug register asked for; unlike INT n it does not check the gate's DPL. */
export const INT1: Semantics = (_, m) => {
  m.intercept('INT1');
  m.invoke(HELPERS.softwareInterrupt, m.constant(1n, 8));
};

/** INTO: interrupt 4, where OF is set. */
export const INTO: Semantics = (_, m) => {
  m.finishIf(m.flag('OF').not());
  m.invoke(HELPERS.softwareInterrupt, m.constant(4n, 8));
};

/** BOUND: #BR unless lower ≤ index ≤ upper, signed; the bounds lie side by side in memory. */
export const BOUND: Semantics = (i, m) => {
  const index = m.read(operandAt(i, 0), i.width);
  const {segment, offset} = m.address(memoryOperand(i, 1));
  const lower = m.load({segment, offset}, i.width);
  const upper = m.load({segment, offset: offset.add(BigInt(i.width / 8))}, i.width);
  m.faultIf(index.less(lower).or(upper.less(index)), '#BR');
};

/** ENTER: push rBP, copy the frame pointers of the enclosing procedures, make room. Every store is probed before the first. */
export const ENTER: Semantics = (i, m) => {
  const [size, level] = [operandAt(i, 0), operandAt(i, 1)];
  assert(size.kind === 'immediate' && level.kind === 'immediate', 'ENTER imm16, imm8');
  const bytes = i.width / 8,
    depth = Number(level.value % 32n);
  // A 16-bit stack moves SP alone, and the frame pointer is all of ESP.
  const kept = m.gpr('RSP', 64).and(m.state('stackMask').not());
  const frame = kept.or(m.stackSlot(BigInt(-bytes)).offset).truncate(i.width);
  const pushed = [m.gpr('RBP', i.width)];
  for (let n = 0; n < depth - 1; n++) pushed.push(enclosingFrame(m, n, pushed));
  if (depth > 0) pushed.push(frame);
  const slots = pushed.map((value, n) => ({value, address: m.stackSlot(BigInt(-bytes * (n + 1)))}));
  for (const slot of slots) m.probe(slot.address, bytes);
  // The new top of the stack must be writable too. SDM vol. 2, "ENTER—Make Stack Frame for Procedure Parameters".
  m.probe(m.stackSlot(BigInt(-bytes * slots.length) - size.value), bytes);
  for (const slot of slots) m.store(slot.address, slot.value);
  m.setGpr('RBP', frame);
  m.moveStack(BigInt(-bytes * slots.length) - size.value);
};

/**
 * The frame pointer number `n` below the current one. The processor reads it after the pushes before it, so where the
 * frame lies over the top of the stack it reads what it has pushed (measured on AMD Zen 4): `pushed`, in that order.
 */
function enclosingFrame(m: Microcode, n: number, pushed: readonly Value[]): Value {
  const width = m.instruction.width,
    bytes = BigInt(width / 8);
  const mask = m.state('stackMask'),
    rbp = m.gpr('RBP', 64);
  const found = m.load({segment: 'SS', offset: rbp.sub(BigInt(n + 1) * bytes).and(mask)}, width);
  const above = rbp.sub(m.gpr('RSP', 64));
  // Slot n − q begins `rest` bytes below the address that is read; from there on it is in slot n − q − 1.
  return Array.from({length: n + 2}, (_, k) => k - 1).reduce((value, q) => {
    const rest = above.sub(BigInt(q) * bytes).and(mask);
    const [low, high] = [rest.truncate(8).shiftLeft(3n), m.constant(bytes, 8).sub(rest.truncate(8)).shiftLeft(3n)];
    const [lower, upper] = [pushed[n - q], pushed[n - q - 1]];
    const first = lower === undefined ? found.shiftLeft(low).shiftRight(low) : lower.shiftRight(low);
    const second = upper === undefined ? found.shiftRight(high).shiftLeft(high) : upper.shiftLeft(high);
    return rest.below(bytes).choose(first.or(second), value);
  }, found);
}

/** LEAVE: rSP ← rBP, then pop rBP. */
export const LEAVE: Semantics = (i, m) => {
  const mask = m.state('stackMask'),
    frame = m.gpr('RBP', 64);
  const caller = m.load({segment: 'SS', offset: frame.and(mask)}, i.width);
  const released = frame.add(BigInt(i.width / 8)).and(mask);
  m.setGpr('RSP', m.gpr('RSP', 64).and(mask.not()).or(released));
  m.setGpr('RBP', caller);
};
