// What x87 control instructions mean: words, environment and state move, nothing is computed. SDM vol. 1, "x87 FPU Control
// Instructions"; the images in memory are machine's.

import type {Instruction} from '../instruction.js';
import type {Helper} from '../microcode/helper.js';
import {HELPERS} from '../microcode/helpers.js';
import type {Microcode} from '../microcode/microcode.js';
import type {Semantics} from '../opcodes/form.js';
import {FCW_INITIAL} from '../registers/vector-state.js';
import type {VectorCell} from '../registers/vector-state.js';
import {memoryOperand, operandAt, segmentNumber} from './operand-access.js';
import {requireNoPendingException, requireX87} from './vector-checks.js';

const CLEARED: readonly (readonly [VectorCell, 8 | 16 | 64])[] = [
  ['FSW', 16],
  ['FTW', 8],
  ['FOP', 16],
  ['FIP', 64],
  ['FDP', 64],
  ['FCS', 16],
  ['FDS', 16],
];

export const FNINIT: Semantics = (_, m) => {
  requireX87(m);
  m.setVector('FCW', m.constant(FCW_INITIAL, 16));
  for (const [cell, width] of CLEARED) m.setVector(cell, m.constant(0n, width));
};

/** FNCLEX: the exception flags, SF, ES and B. */
export const FNCLEX: Semantics = (_, m) => {
  requireX87(m);
  m.setVector('FSW', m.vector('FSW', 16).and(0x7f00n));
};

export const FNOP: Semantics = (_, m) => {
  requireX87(m);
  requireNoPendingException(m);
};

/** FLDCW: bit 6 is always 1; what it unmasks and is already there waits for the next instruction. */
export const FLDCW: Semantics = (i, m) => {
  requireX87(m);
  requireNoPendingException(m);
  const control = m.read(operandAt(i, 0), 16).and(0x1f3fn).or(0x40n);
  const status = m.vector('FSW', 16);
  const pending = status.and(control.not()).and(0x3fn).isNot(0n);
  m.setVector('FCW', control);
  m.setVector('FSW', pending.choose(status.or(0x8080n), status.and(0x7f7fn)));
};

export const FNSTCW: Semantics = (i, m) => {
  requireX87(m);
  m.write(operandAt(i, 0), m.vector('FCW', 16));
};

export const FNSTSW: Semantics = (i, m) => {
  requireX87(m);
  m.write(operandAt(i, 0), m.vector('FSW', 16));
};

/** Those that move an image: the helper knows its layout in this mode. */
const image =
  (helper: Helper, kind: 'waits' | 'does not wait'): Semantics =>
  (i, m) => {
    requireX87(m);
    if (kind === 'waits') requireNoPendingException(m);
    invokeAt(i, m, helper);
  };

function invokeAt(i: Instruction, m: Microcode, helper: Helper): void {
  const {segment, offset} = m.address(memoryOperand(i, 0));
  m.invoke(helper, segmentNumber(m, segment), offset);
}

export const FNSTENV: Semantics = image(HELPERS.storeFpuEnvironment, 'does not wait');
export const FLDENV: Semantics = image(HELPERS.loadFpuEnvironment, 'waits');
export const FNSAVE: Semantics = image(HELPERS.saveFpuState, 'does not wait');
export const FRSTOR: Semantics = image(HELPERS.restoreFpuState, 'waits');

/** An x87 instruction where no coprocessor is: #NM where the system asks for it (CR0.EM, CR0.TS), else nothing. */
export const ESC: Semantics = (_, m) => requireX87(m);

/** FNSTSW AX without a coprocessor: nothing drives the bus. */
export const ESC_STATUS: Semantics = (i, m) => {
  requireX87(m);
  m.write(operandAt(i, 0), m.constant(0xffffn, 16));
};
