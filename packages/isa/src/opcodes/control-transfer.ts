// SDM vol. 1, "Control Transfer Instructions", as encodings.
// The grammar of these lines is in form.ts.

import {
  JMP, JMP_FAR, Jcc, JCXZ, LOOP, CALL, CALL_FAR, RET, RETF, IRET, INT, INT3, INT1, INTO, ENTER, LEAVE,
} from '../semantics/control-transfer.js';
import type {OpcodeForm} from './form.js';
import {op} from './op.js';

export const CONTROL_TRANSFER: readonly OpcodeForm[] = [
  op('EB cb', 'JMP rel8', JMP, 'f64'),
  op('E9 cz', 'JMP relZ', JMP, 'f64'),
  op('FF /4', 'JMP r/mV', JMP, 'f64'),
  op('EA ap', 'JMP ptr16:Z', JMP_FAR, 'i64'),
  op('FF /5', 'JMP m16:V', JMP_FAR),
  op('70+cc cb', 'Jcc rel8', Jcc, 'f64'),
  op('0F 80+cc cz', 'Jcc relZ', Jcc, 'f64'),
  op('E3 cb', 'JCXZ rel8', JCXZ, 'f64', 'as16'),
  op('E3 cb', 'JECXZ rel8', JCXZ, 'f64', 'as32'),
  op('E3 cb', 'JRCXZ rel8', JCXZ, 'f64', 'as64'),
  op('E2 cb', 'LOOP rel8', LOOP, 'f64'),
  op('E1 cb', 'LOOPE rel8', LOOP, 'f64'),
  op('E0 cb', 'LOOPNE rel8', LOOP, 'f64'),
  op('E8 cz', 'CALL relZ', CALL, 'f64'),
  op('FF /2', 'CALL r/mV', CALL, 'f64'),
  op('9A ap', 'CALL ptr16:Z', CALL_FAR, 'i64'),
  op('FF /3', 'CALL m16:V', CALL_FAR),
  op('C3', 'RET', RET, 'f64'),
  op('C2 iw', 'RET imm16', RET, 'f64'),
  op('CB', 'RETF', RETF),
  op('CA iw', 'RETF imm16', RETF),
  op('CF', 'IRET', IRET, 'os16'),
  op('CF', 'IRETD', IRET, 'os32'),
  op('CF', 'IRETQ', IRET, 'os64'),
  op('CD ib', 'INT imm8', INT),
  op('CC', 'INT3', INT3),
  op('F1', 'INT1', INT1),
  op('CE', 'INTO', INTO, 'i64'),
  op('C8 iw ib', 'ENTER imm16, imm8', ENTER, 'd64'),
  op('C9', 'LEAVE', LEAVE, 'd64'),
];
