// What moves to and from control and debug registers mean. SDM vol. 2, "MOV—Move to/from Control Registers" and
// "MOV—Move to/from Debug Registers". They are 64 bits wide in 64-bit mode and 32 bits elsewhere, whatever 66h says.

import {assert} from '@hyperscope/base';
import type {Semantics} from '../opcodes/form.js';
import type {Instruction} from '../instruction.js';
import {HELPERS} from '../microcode/helpers.js';
import type {Microcode} from '../microcode/microcode.js';
import type {Value} from '../microcode/value.js';
import {operandAt} from './operand-access.js';
import {requireCpl0} from './privilege.js';

const modeWidth = (i: Instruction): 32 | 64 => (i.codeSize === 64 ? 64 : 32);

/** MOV r, CRn. CR0 and CR4 are seen through the guest/host masks, CR8 through a TPR shadow, without a VM exit. */
export const MOV_FROM_CONTROL: Semantics = (i, m) => {
  requireCpl0(m);
  const value = readControl(m, numberOf(i, 1));
  m.write(operandAt(i, 0), i.codeSize === 64 ? value : value.truncate(32));
};

function readControl(m: Microcode, number: number): Value {
  switch (number) {
    case 0:
      m.intercept('MOV from CR0');
      return m.call(HELPERS.readCr0);
    case 2:
      m.intercept('MOV from CR2'); // SVM can; VT-x has no such exit
      return m.state('CR2');
    case 3:
      m.intercept('MOV from CR3');
      return m.state('CR3');
    case 4:
      m.intercept('MOV from CR4');
      return m.call(HELPERS.readCr4);
    default:
      m.intercept('MOV from CR8');
      return m.call(HELPERS.readCr8);
  }
}

/** MOV CRn, r. The privilege fault outranks the VM exit, the VM exit outranks a value that the register refuses. */
export const MOV_TO_CONTROL: Semantics = (i, m) => {
  requireCpl0(m);
  const value = m.read(operandAt(i, 1), modeWidth(i)).zeroExtend(64);
  switch (numberOf(i, 0)) {
    case 0:
      m.intercept('MOV to CR0', value);
      return m.invoke(HELPERS.loadCr0, value);
    case 2:
      m.intercept('MOV to CR2', value);
      return m.invoke(HELPERS.loadCr2, value);
    case 3:
      m.intercept('MOV to CR3', value);
      return m.invoke(HELPERS.loadCr3, value);
    case 4:
      m.intercept('MOV to CR4', value);
      return m.invoke(HELPERS.loadCr4, value);
    default:
      m.intercept('MOV to CR8', value);
      return m.invoke(HELPERS.loadCr8, value);
  }
};

/** MOV r, DRn. Its VM exit comes even before the privilege fault (SDM vol. 3C, "Relative Priority of Faults and VM Exits"). */
export const MOV_FROM_DEBUG: Semantics = (i, m) => {
  m.intercept('MOV DR');
  requireCpl0(m);
  const value = m.call(HELPERS.readDebugRegister, m.constant(BigInt(numberOf(i, 1)), 8));
  m.write(operandAt(i, 0), i.codeSize === 64 ? value : value.truncate(32));
};

export const MOV_TO_DEBUG: Semantics = (i, m) => {
  m.intercept('MOV DR');
  requireCpl0(m);
  const value = m.read(operandAt(i, 1), modeWidth(i)).zeroExtend(64);
  m.invoke(HELPERS.loadDebugRegister, m.constant(BigInt(numberOf(i, 0)), 8), value);
};

/** The number of the control or debug register at a position. */
function numberOf(i: Instruction, index: number): number {
  const operand = operandAt(i, index);
  assert(operand.kind === 'control' || operand.kind === 'debug', 'a control or debug register');
  return operand.number;
}
