// The whole opcode table. Decode, disassemble, assemble, execute, explain and classify all start here.

import {DATA_TRANSFER} from './data-transfer.js';
import {ARITHMETIC} from './arithmetic.js';
import {DECIMAL} from './decimal.js';
import {BIT_MANIPULATION} from './bit-manipulation.js';
import {PROTECTION} from './protection.js';
import {LOGIC} from './logic.js';
import {SHIFT_AND_ROTATE} from './shift-and-rotate.js';
import {BIT_AND_BYTE} from './bit-and-byte.js';
import {CONTROL_TRANSFER} from './control-transfer.js';
import {STRING} from './string.js';
import {INPUT_OUTPUT} from './input-output.js';
import {FLAG_CONTROL} from './flag-control.js';
import {SEGMENT} from './segment.js';
import {MISCELLANEOUS} from './miscellaneous.js';
import {SYSTEM} from './system.js';
import {VMX} from './vmx.js';
import {SVM} from './svm.js';
import {MMX_INTEGER} from './mmx-integer.js';
import {MMX_MOVES} from './mmx-moves.js';
import {SSE_INTEGER} from './sse-integer.js';
import {SSE_MOVES} from './sse-moves.js';
import {X87_CONTROL} from './x87-control.js';
import type {OpcodeForm} from './form.js';

/** Every encoding that the project knows, one entry a table line. */
export const OPCODES: readonly OpcodeForm[] = [
  ...DATA_TRANSFER,
  ...ARITHMETIC,
  ...DECIMAL,
  ...LOGIC,
  ...SHIFT_AND_ROTATE,
  ...BIT_AND_BYTE,
  ...BIT_MANIPULATION,
  ...CONTROL_TRANSFER,
  ...STRING,
  ...INPUT_OUTPUT,
  ...FLAG_CONTROL,
  ...SEGMENT,
  ...MISCELLANEOUS,
  ...X87_CONTROL,
  ...MMX_MOVES,
  ...MMX_INTEGER,
  ...SSE_MOVES,
  ...SSE_INTEGER,
  ...SYSTEM,
  ...PROTECTION,
  ...VMX,
  ...SVM,
];
