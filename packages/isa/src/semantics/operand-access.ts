// The operands of an instruction by position. The opcode table says how many there are; asking for more is a mistake of ours.

import {assert, assertExists} from '@hyperscope/base';
import type {Instruction, MemoryOperand, Operand, OperandSize} from '../instruction.js';
import {SEGMENT_REGISTERS} from '../registers/cells.js';
import type {SegmentRegister} from '../registers/cells.js';
import type {Microcode} from '../microcode/microcode.js';
import type {Value} from '../microcode/value.js';

export function operandAt(i: Instruction, index: number): Operand {
  return assertExists(i.operands[index], `${i.form.syntax} has no operand ${index}`);
}

/** The width of a first operand that is a register: where REX.W alone decides, and 66h is part of the opcode or ignored. */
export function registerWidth(i: Instruction): OperandSize {
  const to = operandAt(i, 0);
  assert(to.kind === 'register', `${i.form.syntax}: the first operand is a register`);
  return to.width;
}

/** The first two operands: destination and source. */
export function twoOperands(i: Instruction): readonly [Operand, Operand] {
  return [operandAt(i, 0), operandAt(i, 1)];
}

/** The operand at a position, which the table line says is in memory. */
export function memoryOperand(i: Instruction, index: number): MemoryOperand {
  const operand = operandAt(i, index);
  assert(operand.kind === 'memory', `${i.form.syntax}: operand ${index} is in memory`);
  return operand;
}

/** The number of a segment register in encodings and in helpers' arguments. */
export function segmentNumber(m: Microcode, register: SegmentRegister): Value {
  return m.constant(BigInt(SEGMENT_REGISTERS.indexOf(register)), 8);
}

/** Writes a register operand where `when` is 1 and leaves it alone, upper half included, where it is not. */
export function writeWhere(m: Microcode, operand: Operand, when: Value, value: Value): void {
  assert(operand.kind === 'register', 'only a register can be left alone');
  const wide = value.width === 32 ? 64 : value.width;
  const kept = m.gpr(operand.register, wide, operand.high);
  m.setGpr(operand.register, when.choose(wide === value.width ? value : value.zeroExtend(wide), kept), operand.high);
}
