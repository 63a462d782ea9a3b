// What the instructions mean that save and restore the x87, MMX and SSE state at once: SDM vol. 1, "FXSAVE and FXRSTOR
// Instructions", "Managing State Using the XSAVE Feature Set". The areas are machine's.

import type {Instruction} from '../instruction.js';
import type {Helper} from '../microcode/helper.js';
import {HELPERS} from '../microcode/helpers.js';
import type {Microcode} from '../microcode/microcode.js';
import type {Value} from '../microcode/value.js';
import type {Semantics} from '../opcodes/form.js';
import {memoryOperand, operandAt, segmentNumber} from './operand-access.js';
import {requireAligned, requireSse, requireX87} from './vector-checks.js';

const TS = 3;
const OSXSAVE = 18;

export const FXSAVE: Semantics = (i, m) => {
  requireX87(m);
  atAlignedArea(i, m, HELPERS.saveFxImage, 16);
};

/** FXRSTOR does not look at pending x87 exceptions: it brings new ones. */
export const FXRSTOR: Semantics = (i, m) => {
  requireX87(m);
  atAlignedArea(i, m, HELPERS.restoreFxImage, 16);
};

export const LDMXCSR: Semantics = (i, m) => {
  requireSse(m);
  m.invoke(HELPERS.loadMxcsr, m.read(operandAt(i, 0), 32));
};

export const STMXCSR: Semantics = (i, m) => {
  requireSse(m);
  m.write(operandAt(i, 0), m.vector('MXCSR', 32));
};

/** XSAVE, XSAVEOPT, XSAVEC: the components in XCR0 that EDX:EAX asks for. */
export const XSAVE: Semantics = (i, m) => {
  requireXsave(m);
  atAlignedArea(i, m, HELPERS.saveExtendedState, 64, requestedFeatures(m));
};

export const XRSTOR: Semantics = (i, m) => {
  requireXsave(m);
  atAlignedArea(i, m, HELPERS.restoreExtendedState, 64, requestedFeatures(m));
};

function requireXsave(m: Microcode): void {
  m.faultIf(m.state('CR4').bit(OSXSAVE).not(), '#UD');
  m.faultIf(m.state('CR0').bit(TS), '#NM');
}

/** RFBM: the requested-feature bitmap. */
function requestedFeatures(m: Microcode): Value {
  return m.concat(m.gpr('RDX', 32), m.gpr('RAX', 32)).and(m.state('XCR0'));
}

function atAlignedArea(i: Instruction, m: Microcode, helper: Helper, alignment: number, ...more: Value[]): void {
  const operand = memoryOperand(i, 0);
  requireAligned(m, operand, alignment);
  const {segment, offset} = m.address(operand);
  m.invoke(helper, segmentNumber(m, segment), offset, ...more);
}
