// SDM vol. 1, "Logical Instructions", as encodings.
// The grammar of these lines is in form.ts.

import {AND, OR, XOR, NOT} from '../semantics/logic.js';
import type {OpcodeForm} from './form.js';
import {op} from './op.js';

export const LOGIC: readonly OpcodeForm[] = [
  op('20 /r', 'AND r/m8, r8', AND, 'byte', 'lockable'),
  op('21 /r', 'AND r/mV, rV', AND, 'lockable'),
  op('22 /r', 'AND r8, r/m8', AND, 'byte'),
  op('23 /r', 'AND rV, r/mV', AND),
  op('24 ib', 'AND AL, imm8', AND, 'byte'),
  op('25 iz', 'AND rAX, immZ', AND),
  op('80 /4 ib', 'AND r/m8, imm8', AND, 'byte', 'lockable'),
  op('81 /4 iz', 'AND r/mV, immZ', AND, 'lockable'),
  op('83 /4 ib', 'AND r/mV, imm8s', AND, 'lockable'),
  op('82 /4 ib', 'AND r/m8, imm8', AND, 'byte', 'i64', 'redundant', 'lockable'),

  op('08 /r', 'OR r/m8, r8', OR, 'byte', 'lockable'),
  op('09 /r', 'OR r/mV, rV', OR, 'lockable'),
  op('0A /r', 'OR r8, r/m8', OR, 'byte'),
  op('0B /r', 'OR rV, r/mV', OR),
  op('0C ib', 'OR AL, imm8', OR, 'byte'),
  op('0D iz', 'OR rAX, immZ', OR),
  op('80 /1 ib', 'OR r/m8, imm8', OR, 'byte', 'lockable'),
  op('81 /1 iz', 'OR r/mV, immZ', OR, 'lockable'),
  op('83 /1 ib', 'OR r/mV, imm8s', OR, 'lockable'),
  op('82 /1 ib', 'OR r/m8, imm8', OR, 'byte', 'i64', 'redundant', 'lockable'),

  op('30 /r', 'XOR r/m8, r8', XOR, 'byte', 'lockable'),
  op('31 /r', 'XOR r/mV, rV', XOR, 'lockable'),
  op('32 /r', 'XOR r8, r/m8', XOR, 'byte'),
  op('33 /r', 'XOR rV, r/mV', XOR),
  op('34 ib', 'XOR AL, imm8', XOR, 'byte'),
  op('35 iz', 'XOR rAX, immZ', XOR),
  op('80 /6 ib', 'XOR r/m8, imm8', XOR, 'byte', 'lockable'),
  op('81 /6 iz', 'XOR r/mV, immZ', XOR, 'lockable'),
  op('83 /6 ib', 'XOR r/mV, imm8s', XOR, 'lockable'),
  op('82 /6 ib', 'XOR r/m8, imm8', XOR, 'byte', 'i64', 'redundant', 'lockable'),

  op('F6 /2', 'NOT r/m8', NOT, 'byte', 'lockable'),
  op('F7 /2', 'NOT r/mV', NOT, 'lockable'),
];
