// SDM vol. 1, "Data Transfer Instructions", as encodings.
// The grammar of these lines is in form.ts.

import {
  MOV, MOV_FROM_SEGMENT, MOV_TO_SEGMENT, CMOVcc, XCHG, BSWAP, XADD, CMPXCHG, PUSH, POP, POP_SEGMENT, PUSHA, POPA, CBW,
  CWD, MOVSX, MOVZX,
} from '../semantics/data-transfer.js';
import type {OpcodeForm} from './form.js';
import {op} from './op.js';

export const DATA_TRANSFER: readonly OpcodeForm[] = [
  op('88 /r', 'MOV r/m8, r8', MOV, 'byte'),
  op('89 /r', 'MOV r/mV, rV', MOV),
  op('8A /r', 'MOV r8, r/m8', MOV, 'byte'),
  op('8B /r', 'MOV rV, r/mV', MOV),
  op('8C /r', 'MOV rV/m16, sreg', MOV_FROM_SEGMENT),
  op('8E /r', 'MOV sreg, r/m16', MOV_TO_SEGMENT),
  op('A0 mo', 'MOV AL, moffs8', MOV, 'byte'),
  op('A1 mo', 'MOV rAX, moffsV', MOV),
  op('A2 mo', 'MOV moffs8, AL', MOV, 'byte'),
  op('A3 mo', 'MOV moffsV, rAX', MOV),
  op('B0+r ib', 'MOV r8, imm8', MOV, 'byte'),
  op('B8+r iq', 'MOV rV, immV', MOV),
  op('C6 /0 ib', 'MOV r/m8, imm8', MOV, 'byte'),
  op('C7 /0 iz', 'MOV r/mV, immZ', MOV),

  op('0F 40+cc /r', 'CMOVcc rV, r/mV', CMOVcc),

  op('86 /r', 'XCHG r/m8, r8', XCHG, 'byte', 'lockable'),
  op('87 /r', 'XCHG r/mV, rV', XCHG, 'lockable'),
  // 90 itself is NOP, unless REX.B makes it R8: decode prefers the line with the whole byte.
  op('90+r', 'XCHG rV, rAX', XCHG),
  op('0F C8+r', 'BSWAP rV', BSWAP),
  op('0F C0 /r', 'XADD r/m8, r8', XADD, 'byte', 'lockable'),
  op('0F C1 /r', 'XADD r/mV, rV', XADD, 'lockable'),
  op('0F B0 /r', 'CMPXCHG r/m8, r8', CMPXCHG, 'byte', 'lockable'),
  op('0F B1 /r', 'CMPXCHG r/mV, rV', CMPXCHG, 'lockable'),

  op('50+r', 'PUSH rV', PUSH, 'd64'),
  op('FF /6', 'PUSH r/mV', PUSH, 'd64'),
  op('6A ib', 'PUSH imm8s', PUSH, 'd64'),
  op('68 iz', 'PUSH immZ', PUSH, 'd64'),
  op('06', 'PUSH ES', PUSH, 'i64'),
  op('0E', 'PUSH CS', PUSH, 'i64'),
  op('16', 'PUSH SS', PUSH, 'i64'),
  op('1E', 'PUSH DS', PUSH, 'i64'),
  op('0F A0', 'PUSH FS', PUSH, 'd64'),
  op('0F A8', 'PUSH GS', PUSH, 'd64'),
  op('58+r', 'POP rV', POP, 'd64'),
  op('8F /0', 'POP r/mV', POP, 'd64'),
  op('07', 'POP ES', POP_SEGMENT, 'i64'),
  op('17', 'POP SS', POP_SEGMENT, 'i64'),
  op('1F', 'POP DS', POP_SEGMENT, 'i64'),
  op('0F A1', 'POP FS', POP_SEGMENT, 'd64'),
  op('0F A9', 'POP GS', POP_SEGMENT, 'd64'),
  op('60', 'PUSHA', PUSHA, 'i64', 'os16'),
  op('60', 'PUSHAD', PUSHA, 'i64', 'os32'),
  op('61', 'POPA', POPA, 'i64', 'os16'),
  op('61', 'POPAD', POPA, 'i64', 'os32'),

  op('98', 'CBW', CBW, 'os16'),
  op('98', 'CWDE', CBW, 'os32'),
  op('98', 'CDQE', CBW, 'os64'),
  op('99', 'CWD', CWD, 'os16'),
  op('99', 'CDQ', CWD, 'os32'),
  op('99', 'CQO', CWD, 'os64'),
  op('0F BE /r', 'MOVSX rV, r/m8', MOVSX),
  op('0F BF /r', 'MOVSX rV, r/m16', MOVSX),
  op('63 /r', 'MOVSXD r16, r/m16', MOVSX, 'o64', 'os16'),
  op('63 /r', 'MOVSXD r32, r/m32', MOVSX, 'o64', 'os32'),
  op('63 /r', 'MOVSXD r64, r/m32', MOVSX, 'o64', 'os64'),
  op('0F B6 /r', 'MOVZX rV, r/m8', MOVZX),
  op('0F B7 /r', 'MOVZX rV, r/m16', MOVZX),
];
