// MOV to CR8 as code of the cache: a store to the virtual CPU, if the value is one of 0 to 15; else the VMM, which raises #GP. The value
// is compared with what a table has for its low byte, negated, so that no flag changes. The virtual interrupt controller reads the
// priority from the virtual CPU whenever it looks for an interrupt, so nobody need be told.

import {cellIndex} from '@hyperscope/isa';
import {VIRTUAL_CPU} from '../trap-and-emulate/vmm-layout.js';
import {AX, CX, STORE, addRegister, fromTable, onVirtualCpu, zeroExtendByte} from './cache-code.js';
import type {CodeShape} from './cache-code.js';
import {CacheSequence} from './cache-sequence.js';
import type {Piece} from './cache-sequence.js';
import {FIXUP} from './translated-frame.js';
import {CR8_TABLE, LOOKUP_ENTRIES, SAVED_AX, SAVED_CX} from './translation-layout.js';

const REX_W = 0x48;
const REX_R = 4;
const HIGHEST = 15;

/** `register`: by its number. CR8 is there in 64-bit mode only. */
export function setTaskPriority(rip: bigint, register: number, shape: CodeShape): readonly Piece[] {
  const toCx = [REX_W | (register > 7 ? REX_R : 0), ...STORE, 0xc0 | ((register & 7) << 3) | CX];
  return new CacheSequence(rip, 'in-cache', shape)
    .store(CX, SAVED_CX)
    .store(AX, SAVED_AX)
    .code(toCx)
    .now(FIXUP.cx)
    .code(zeroExtendByte(AX, CX, shape))
    .now(FIXUP.cx | FIXUP.ax)
    .code(fromTable(AX, CR8_TABLE, AX, shape, 64))
    .code(addRegister(CX, AX, shape))
    .unlessCxIsZero('callout')
    .load(AX, SAVED_AX)
    .now(FIXUP.cx)
    .load(CX, SAVED_CX)
    .now(0)
    .code(onVirtualCpu(STORE, register, VIRTUAL_CPU + 8 * cellIndex('CR8'), shape)).pieces;
}

/** −0 to −15; for every other byte 0, which added to a value that is not 0 leaves something. */
export const taskPriorityTable = (): readonly bigint[] =>
  Array.from({length: LOOKUP_ENTRIES}, (_, byte) => (byte > HIGHEST ? 0n : BigInt.asUintN(64, BigInt(-byte))));
