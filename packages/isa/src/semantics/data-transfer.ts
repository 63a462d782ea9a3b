// What data-transfer instructions mean. SDM vol. 1, "Data Transfer Instructions".

import {assert} from '@hyperscope/base';
import type {Semantics} from '../opcodes/form.js';
import {HELPERS} from '../microcode/helpers.js';
import type {Microcode} from '../microcode/microcode.js';
import type {GeneralRegister} from '../registers/cells.js';
import {memoryOperand, operandAt, segmentNumber, twoOperands, writeWhere} from './operand-access.js';

/** MOV of general registers, memory and immediates. */
export const MOV: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  m.write(to, m.read(from, i.width));
};

/** MOV r/m, Sreg. Not privileged, and it shows the privilege level in the low bits of CS and SS. */
export const MOV_FROM_SEGMENT: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  m.write(to, m.read(from, to.kind === 'memory' ? 16 : i.width));
};

/** MOV Sreg, r/m16. */
export const MOV_TO_SEGMENT: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  assert(to.kind === 'segment', 'a segment register');
  m.invoke(HELPERS.loadSegment, segmentNumber(m, to.register), m.read(from, 16));
};

/** CMOVcc. The source is read, and may fault, whatever the condition; a 32-bit destination is zero-extended in any case. */
export const CMOVcc: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  assert(i.condition !== undefined, 'CMOVcc has a condition');
  const source = m.read(from, i.width);
  m.write(to, m.condition(i.condition).choose(source, m.read(to, i.width)));
};

/** XCHG. With memory it is locked, prefix or not. */
export const XCHG: Semantics = (i, m) => {
  const [first, second] = twoOperands(i);
  const a = m.read(first, i.width, 'modify'),
    b = m.read(second, i.width);
  m.write(first, b);
  m.write(second, a);
};

/** BSWAP. Of a 16-bit register the result is undefined; measured: processors give 0. */
export const BSWAP: Semantics = (i, m) => {
  const operand = operandAt(i, 0);
  m.write(operand, i.width === 16 ? m.constant(0n, 16) : m.read(operand, i.width).byteSwap());
};

/** XADD. The source first: when both are one register, the sum stays. */
export const XADD: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  const a = m.read(to, i.width, 'modify'),
    b = m.read(from, i.width);
  const sum = a.add(b);
  m.write(from, a);
  m.write(to, sum);
  m.setFlags('add', a, b, sum);
};

/** CMPXCHG. A memory destination is written in any case; registers that lose the comparison keep their upper halves too. */
export const CMPXCHG: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  const accumulator = m.gpr('RAX', i.width),
    destination = m.read(to, i.width, 'modify'),
    source = m.read(from, i.width);
  const equal = accumulator.is(destination);
  if (to.kind === 'memory') m.write(to, equal.choose(source, destination));
  else writeWhere(m, to, equal, source);
  writeWhere(m, {kind: 'register', register: 'RAX', width: i.width, high: false}, equal.not(), destination);
  m.setFlags('sub', accumulator, destination, accumulator.sub(destination));
};

/**
 * CMPXCHG8B and CMPXCHG16B: rDX:rAX with memory; rCX:rBX goes there where they are equal, else memory into rDX:rAX. Memory is
 * written in any case. Only ZF changes. CMPXCHG16B wants an address that is a multiple of 16.
 */
export const CMPXCHG_PAIR: Semantics = (i, m) => {
  const to = memoryOperand(i, 0);
  const half = i.width === 64 ? 64 : 32;
  const address = m.address(to);
  if (half === 64) {
    const linear = m.call(HELPERS.linearAddress, segmentNumber(m, address.segment), address.offset);
    m.faultIf(linear.and(15n).isNot(0n), '#GP', 0n);
  }
  const old = m.load(address, half === 64 ? 128 : 64, 'modify');
  const equal = old.is(m.concat(m.gpr('RDX', half), m.gpr('RAX', half)));
  m.store(address, equal.choose(m.concat(m.gpr('RCX', half), m.gpr('RBX', half)), old));
  const parts = [
    ['RAX', old.truncate(half)],
    ['RDX', old.shiftRight(BigInt(half)).truncate(half)],
  ] as const;
  for (const [register, value] of parts)
    writeWhere(m, {kind: 'register', register, width: half, high: false}, equal.not(), value);
  m.setFlag('ZF', equal);
};

/** MOVBE: a move between memory and a register that turns the order of the bytes round. */
export const MOVBE: Semantics = (i, m) => {
  const [to, from] = twoOperands(i);
  m.write(to, m.read(from, i.width).byteSwap());
};

/** PUSH of anything that can be pushed. PUSH RSP pushes the value before. */
export const PUSH: Semantics = (i, m) => m.push(m.read(operandAt(i, 0), i.width));

/** POP r/m. An address based on RSP uses RSP as it is after the pop; POP RSP keeps the value popped. */
export const POP: Semantics = (i, m) => {
  const to = operandAt(i, 0);
  if (to.kind !== 'memory') return m.write(to, m.pop(i.width));
  const bytes = BigInt(i.width / 8);
  const value = m.load(m.stackSlot(0n), i.width);
  m.write(to.base === 'RSP' ? {...to, displacement: to.displacement + bytes} : to, value);
  m.moveStack(bytes);
};

/** POP Sreg. The stack's width is taken before the load: POP SS may change it. */
export const POP_SEGMENT: Semantics = (i, m) => {
  const to = operandAt(i, 0);
  assert(to.kind === 'segment', 'a segment register');
  const selector = m.load(m.stackSlot(0n), i.width).truncate(16);
  const mask = m.state('stackMask'),
    rsp = m.gpr('RSP', 64);
  const released = rsp.and(mask.not()).or(m.stackSlot(BigInt(i.width / 8)).offset);
  m.invoke(HELPERS.loadSegment, segmentNumber(m, to.register), selector);
  m.setGpr('RSP', released);
};

const ALL: readonly GeneralRegister[] = ['RAX', 'RCX', 'RDX', 'RBX', 'RSP', 'RBP', 'RSI', 'RDI'];

/** PUSHA and PUSHAD: eight stores, each probed before the first is made. */
export const PUSHA: Semantics = (i, m) => {
  const bytes = i.width / 8;
  const slots = ALL.map((register, n) => ({
    value: m.gpr(register, i.width),
    address: m.stackSlot(BigInt(-bytes * (n + 1))),
  }));
  for (const slot of slots) m.probe(slot.address, bytes);
  for (const slot of slots) m.store(slot.address, slot.value);
  m.moveStack(BigInt(-bytes * ALL.length));
};

/** POPA and POPAD. The image of the stack pointer is skipped. */
export const POPA: Semantics = (i, m) => {
  const bytes = i.width / 8;
  const slots = [...ALL].reverse().map((register, n) => ({register, value: popped(m, register, n * bytes)}));
  m.moveStack(BigInt(bytes * ALL.length));
  for (const {register, value} of slots) if (value !== undefined) m.setGpr(register, value);
};

function popped(m: Microcode, register: GeneralRegister, offset: number) {
  return register === 'RSP' ? undefined : m.load(m.stackSlot(BigInt(offset)), m.instruction.width);
}

/** CBW, CWDE, CDQE: the accumulator, sign-extended from half its width. */
export const CBW: Semantics = (i, m) => {
  const half = i.width === 64 ? 32 : i.width === 32 ? 16 : 8;
  m.setGpr('RAX', m.gpr('RAX', half).signExtend(i.width));
};

/** CWD, CDQ, CQO: rDX full of the sign of rAX. */
export const CWD: Semantics = (i, m) => m.setGpr('RDX', m.gpr('RAX', i.width).shiftRightSigned(BigInt(i.width - 1)));

export const MOVSX: Semantics = (i, m) => m.write(operandAt(i, 0), narrowSource(i, m).signExtend(i.width));
export const MOVZX: Semantics = (i, m) => m.write(operandAt(i, 0), narrowSource(i, m).zeroExtend(i.width));

/** The source of MOVSX and MOVZX, read at its own width. */
function narrowSource(i: Parameters<Semantics>[0], m: Microcode) {
  const from = operandAt(i, 1);
  if (from.kind === 'register') return m.read(from, from.width);
  const {width} = memoryOperand(i, 1);
  return m.read(from, width === 8 ? 8 : width === 16 ? 16 : 32);
}
