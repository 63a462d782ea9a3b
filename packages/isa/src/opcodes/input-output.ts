// SDM vol. 1, "I/O Instructions", as encodings.
// The grammar of these lines is in form.ts.

import {IN, OUT, INS, OUTS} from '../semantics/input-output.js';
import type {OpcodeForm} from './form.js';
import {op} from './op.js';

export const INPUT_OUTPUT: readonly OpcodeForm[] = [
  op('E4 ib', 'IN AL, imm8', IN, 'byte'),
  op('E5 ib', 'IN rAX, imm8', IN, 'noW'),
  op('EC', 'IN AL, DX', IN, 'byte'),
  op('ED', 'IN rAX, DX', IN, 'noW'),
  op('E6 ib', 'OUT imm8, AL', OUT, 'byte'),
  op('E7 ib', 'OUT imm8, rAX', OUT, 'noW'),
  op('EE', 'OUT DX, AL', OUT, 'byte'),
  op('EF', 'OUT DX, rAX', OUT, 'noW'),
  op('6C', 'INSB', INS, 'byte', 'rep'),
  op('6D', 'INSW', INS, 'noW', 'os16', 'rep'),
  op('6D', 'INSD', INS, 'noW', 'os32', 'rep'),
  op('6E', 'OUTSB', OUTS, 'byte', 'rep'),
  op('6F', 'OUTSW', OUTS, 'noW', 'os16', 'rep'),
  op('6F', 'OUTSD', OUTS, 'noW', 'os32', 'rep'),
];
