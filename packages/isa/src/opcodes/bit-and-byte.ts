// SDM vol. 1, "Bit and Byte Instructions", as encodings.
// The grammar of these lines is in form.ts.

import {BT, BTS, BTR, BTC, BSF, BSR, SETcc, TEST} from '../semantics/bit-and-byte.js';
import type {OpcodeForm} from './form.js';
import {op} from './op.js';

export const BIT_AND_BYTE: readonly OpcodeForm[] = [
  op('0F A3 /r', 'BT r/mV, rV', BT),
  op('0F BA /4 ib', 'BT r/mV, imm8', BT),
  op('0F AB /r', 'BTS r/mV, rV', BTS, 'lockable'),
  op('0F BA /5 ib', 'BTS r/mV, imm8', BTS, 'lockable'),
  op('0F B3 /r', 'BTR r/mV, rV', BTR, 'lockable'),
  op('0F BA /6 ib', 'BTR r/mV, imm8', BTR, 'lockable'),
  op('0F BB /r', 'BTC r/mV, rV', BTC, 'lockable'),
  op('0F BA /7 ib', 'BTC r/mV, imm8', BTC, 'lockable'),
  op('0F BC /r', 'BSF rV, r/mV', BSF),
  op('0F BD /r', 'BSR rV, r/mV', BSR),
  op('0F 90+cc /r', 'SETcc r/m8', SETcc, 'byte'),
  op('84 /r', 'TEST r/m8, r8', TEST, 'byte'),
  op('85 /r', 'TEST r/mV, rV', TEST),
  op('A8 ib', 'TEST AL, imm8', TEST, 'byte'),
  op('A9 iz', 'TEST rAX, immZ', TEST),
  op('F6 /0 ib', 'TEST r/m8, imm8', TEST, 'byte'),
  op('F7 /0 iz', 'TEST r/mV, immZ', TEST),
  op('F6 /1 ib', 'TEST r/m8, imm8', TEST, 'byte', 'redundant'),
  op('F7 /1 iz', 'TEST r/mV, immZ', TEST, 'redundant'),
];
