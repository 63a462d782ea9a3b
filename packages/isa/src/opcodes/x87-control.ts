// The state of the x87 FPU, without its arithmetic: "x87 FPU Control Instructions" (SDM vol. 1). The forms that wait first
// (FINIT, FSTCW …) are WAIT and one of these.

import {
  ESC,
  ESC_STATUS,
  FLDCW,
  FLDENV,
  FNCLEX,
  FNINIT,
  FNOP,
  FNSAVE,
  FNSTCW,
  FNSTENV,
  FNSTSW,
  FRSTOR,
} from '../semantics/x87-control.js';
import type {OpcodeForm} from './form.js';
import {op} from './op.js';

export const X87_CONTROL: readonly OpcodeForm[] = [
  op('DB E3', 'FNINIT', FNINIT, 'needs fpu'),
  op('DB E2', 'FNCLEX', FNCLEX, 'needs fpu'),
  op('D9 D0', 'FNOP', FNOP, 'needs fpu'),
  op('D9 /5', 'FLDCW m16', FLDCW, 'needs fpu'),
  op('D9 /7', 'FNSTCW m16', FNSTCW, 'needs fpu'),
  op('DD /7', 'FNSTSW m16', FNSTSW, 'needs fpu'),
  op('DF E0', 'FNSTSW AX', FNSTSW, 'needs fpu'),
  op('D9 /4', 'FLDENV m', FLDENV, 'noW', 'needs fpu'),
  op('D9 /6', 'FNSTENV m', FNSTENV, 'noW', 'needs fpu'),
  op('DD /4', 'FRSTOR m', FRSTOR, 'noW', 'needs fpu'),
  op('DD /6', 'FNSAVE m', FNSAVE, 'noW', 'needs fpu'),
  // No coprocessor answers: the processor goes on, and what it reads from the empty socket is all ones. Programs find out
  // so (FNINIT, FNSTSW, is it zero?). Intel386 DX hardware reference, "Coprocessor Interface".
  op('DF E0', 'FNSTSW AX', ESC_STATUS, 'noFpu', 'redundant'),
  op('D8 /r', 'ESC r/mV', ESC, 'noFpu', 'redundant'),
  op('D9 /r', 'ESC r/mV', ESC, 'noFpu', 'redundant'),
  op('DA /r', 'ESC r/mV', ESC, 'noFpu', 'redundant'),
  op('DB /r', 'ESC r/mV', ESC, 'noFpu', 'redundant'),
  op('DC /r', 'ESC r/mV', ESC, 'noFpu', 'redundant'),
  op('DD /r', 'ESC r/mV', ESC, 'noFpu', 'redundant'),
  op('DE /r', 'ESC r/mV', ESC, 'noFpu', 'redundant'),
  op('DF /r', 'ESC r/mV', ESC, 'noFpu', 'redundant'),
];
