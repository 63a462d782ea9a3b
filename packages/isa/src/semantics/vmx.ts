// What VMX instructions mean. SDM vol. 3C, "VMX Instruction Reference". Each refuses to exist outside VMX operation, then
// asks for CPL 0, then leaves a guest that tries it; only what is left happens in VMX root operation.

import type {Semantics} from '../opcodes/form.js';
import type {Instruction} from '../instruction.js';
import type {Helper} from '../microcode/helper.js';
import {HELPERS} from '../microcode/helpers.js';
import type {Intercept} from '../microcode/intercept.js';
import type {Microcode} from '../microcode/microcode.js';
import type {Value} from '../microcode/value.js';
import {memoryOperand, operandAt} from './operand-access.js';
import {requireCpl0} from './privilege.js';

/** The checks that all VMX instructions share, except VMXON and VMCALL. */
function beginVmx(m: Microcode, intercept: Intercept): void {
  m.invoke(HELPERS.requireVmxOperation);
  requireCpl0(m);
  m.intercept(intercept);
}

/** The physical address that the m64 operand holds. */
const pointer = (i: Instruction, m: Microcode): Value => m.read(memoryOperand(i, 0), 64);

/** VMXON: #UD without CR4.VMXE, in real mode, in virtual-8086 mode and in compatibility mode. */
export const VMXON: Semantics = (i, m) => {
  m.faultIf(m.state('CR4').bit(13).not(), '#UD');
  if (i.codeSize !== 64) m.faultIf(m.state('PE', 1).not().or(m.vm).or(m.state('EFER').bit(10)), '#UD');
  requireCpl0(m);
  m.intercept('VMXON');
  m.invoke(HELPERS.vmxon, pointer(i, m));
};

export const VMXOFF: Semantics = (_, m) => {
  beginVmx(m, 'VMXOFF');
  m.invoke(HELPERS.vmxoff);
};

export const VMCLEAR: Semantics = (i, m) => withPointer(i, m, 'VMCLEAR', HELPERS.vmclear);
export const VMPTRLD: Semantics = (i, m) => withPointer(i, m, 'VMPTRLD', HELPERS.vmptrld);

function withPointer(i: Instruction, m: Microcode, intercept: Intercept, helper: Helper): void {
  beginVmx(m, intercept);
  m.invoke(helper, pointer(i, m));
}

/** VMPTRST: stores the pointer; it does not make anything current. */
export const VMPTRST: Semantics = (i, m) => {
  beginVmx(m, 'VMPTRST');
  const address = m.address(memoryOperand(i, 0));
  m.probe(address, 8);
  m.store(address, m.call(HELPERS.vmptrst));
};

/** VMREAD r/m, field. Where it fails (CF or ZF), the destination stays. */
export const VMREAD: Semantics = (i, m) => {
  beginVmx(m, 'VMREAD');
  const to = operandAt(i, 0),
    width = modeWidth(i);
  const field = m.read(operandAt(i, 1), width).zeroExtend(64);
  if (to.kind === 'memory') m.probe(m.address(to), width / 8);
  const value = m.call(HELPERS.vmread, field);
  m.finishIf(m.flag('CF').or(m.flag('ZF')));
  m.write(to, width === 64 ? value : value.truncate(width));
};

/** VMWRITE field, r/m. */
export const VMWRITE: Semantics = (i, m) => {
  beginVmx(m, 'VMWRITE');
  const width = modeWidth(i);
  const field = m.read(operandAt(i, 0), width).zeroExtend(64),
    value = m.read(operandAt(i, 1), width).zeroExtend(64);
  m.invoke(HELPERS.vmwrite, field, value);
};

export const VMLAUNCH: Semantics = (_, m) => {
  beginVmx(m, 'VMLAUNCH');
  m.invoke(HELPERS.vmlaunch);
};

export const VMRESUME: Semantics = (_, m) => {
  beginVmx(m, 'VMRESUME');
  m.invoke(HELPERS.vmresume);
};

/** VMCALL: a guest's call to its hypervisor; it exits at every CPL. */
export const VMCALL: Semantics = (_, m) => {
  m.invoke(HELPERS.requireVmxOperation);
  m.intercept('VMCALL');
  requireCpl0(m);
  m.invoke(HELPERS.vmcall);
};

export const INVEPT: Semantics = (i, m) => invalidate(i, m, 'INVEPT', HELPERS.invept);
export const INVVPID: Semantics = (i, m) => invalidate(i, m, 'INVVPID', HELPERS.invvpid);

/** Arguments of the helpers: type, and the two halves of the descriptor in memory. */
function invalidate(i: Instruction, m: Microcode, intercept: Intercept, helper: Helper): void {
  beginVmx(m, intercept);
  const type = m.read(operandAt(i, 0), modeWidth(i)).zeroExtend(64);
  const {segment, offset} = m.address(memoryOperand(i, 1));
  m.invoke(helper, type, m.load({segment, offset}, 64), m.load({segment, offset: offset.add(8n)}, 64));
}

const modeWidth = (i: Instruction): 32 | 64 => (i.codeSize === 64 ? 64 : 32);
