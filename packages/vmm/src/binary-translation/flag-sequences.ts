// CLI, STI, PUSHF and POPF as code of the cache. The virtual IF is bit 9 of the virtual CPU's RFLAGS; every other flag that they touch is
// the processor's own, apart from IOPL, which must be 0. What a flag would have to be asked for is looked up in tables of 256 entries
// by bits 15:8, since the only conditional jump that leaves the flags alone is JCXZ.

import {cellIndex} from '@hyperscope/isa';
import {slotOffset} from '../trap-and-emulate/virtual-cpu.js';
import {VIRTUAL_CPU} from '../trap-and-emulate/vmm-layout.js';
import {
  AX,
  CX,
  LOAD,
  LOAD_ZERO_EXTENDED_BYTE,
  LOAD_ZERO_EXTENDED_WORD,
  STORE_BYTE,
  STORE_IMMEDIATE_BYTE,
  addRegister,
  fromTable,
  loadFromStack,
  onVirtualCpu,
  popMemory,
  pushMemory,
  wordOf,
} from './cache-code.js';
import type {Bytes, CodeShape} from './cache-code.js';
import {CacheSequence} from './cache-sequence.js';
import type {Piece} from './cache-sequence.js';
import {FIXUP} from './translated-frame.js';
import {
  FLAGS_BYTE,
  FLAGS_IMAGE,
  LOOKUP_ENTRIES,
  POPF_TABLE,
  PUSHF_TABLE,
  SAVED_AX,
  SAVED_CX,
} from './translation-layout.js';

/** Bits 15:8 of the virtual RFLAGS. */
const VIRTUAL_FLAGS = VIRTUAL_CPU + 8 * cellIndex('RFLAGS') + 1;
const WAITING = VIRTUAL_CPU + slotOffset('interrupt_noted');
const IF_IN_BYTE = 2;
/** TF, IOPL, and the bit that is always 0. */
const NOT_IN_CACHE = 0b1011_0001;

export function clearInterruptFlag(rip: bigint, shape: CodeShape): readonly Piece[] {
  return new CacheSequence(rip, 'in-cache', shape).code(storeByte(0, shape)).pieces;
}

/** The store comes last: before it an interrupt finds the guest at STI, after it in STI's shadow. */
export function setInterruptFlag(rip: bigint, shape: CodeShape): readonly Piece[] {
  return new CacheSequence(rip, 'in-cache', shape)
    .store(CX, SAVED_CX)
    .loadCx(LOAD, WAITING, 32)
    .now(FIXUP.cx)
    .unlessCxIsZero('callout')
    .load(CX, SAVED_CX)
    .now(0)
    .code(storeByte(IF_IN_BYTE, shape)).pieces;
}

const storeByte = (value: number, shape: CodeShape): Bytes => [
  ...onVirtualCpu(STORE_IMMEDIATE_BYTE, 0, VIRTUAL_FLAGS, shape, 8),
  value,
];

const PUSHED = {16: FIXUP.pushed2, 32: FIXUP.pushed4, 64: FIXUP.pushed8} as const;
export type FlagsWidth = keyof typeof PUSHED;

/** `native`: the guest's own bytes. The image they push says IF = 1; where the virtual IF is 0 the table has −200h for it. */
export function pushFlags(rip: bigint, native: Bytes, width: FlagsWidth, shape: CodeShape): readonly Piece[] {
  const load = width === 16 ? LOAD_ZERO_EXTENDED_WORD : LOAD;
  return new CacheSequence(rip, 'in-cache', shape)
    .code(native)
    .now(PUSHED[width])
    .code(popMemory(FLAGS_IMAGE, shape, width))
    .now(0)
    .store(CX, SAVED_CX)
    .store(AX, SAVED_AX)
    .loadCx(LOAD_ZERO_EXTENDED_BYTE, VIRTUAL_FLAGS, 32)
    .now(FIXUP.cx)
    .code(fromTable(CX, PUSHF_TABLE, CX, shape, wordOf(shape)))
    .code(onVirtualCpu(load, AX, FLAGS_IMAGE, shape, width === 16 ? 32 : width))
    .now(FIXUP.cx | FIXUP.ax)
    .code(addRegister(AX, CX, shape))
    .store(AX, FLAGS_IMAGE)
    .load(AX, SAVED_AX)
    .now(FIXUP.cx)
    .load(CX, SAVED_CX)
    .now(0)
    .code(pushMemory(FLAGS_IMAGE, shape, width)).pieces;
}

/** TF, IOPL, or an interrupt that waits: the VMM. Else the guest's own POPF, which sets all but IF, and IF by hand. */
export function popFlags(rip: bigint, next: bigint, native: Bytes, shape: CodeShape): readonly Piece[] {
  const sequence = new CacheSequence(rip, 'in-cache', shape).store(CX, SAVED_CX);
  for (const bytes of loadFromStack(LOAD_ZERO_EXTENDED_BYTE, 1, shape, 32)) sequence.code(bytes).now(FIXUP.cx);
  return sequence
    .store(CX, FLAGS_BYTE)
    .code(fromTable(CX, POPF_TABLE, CX, shape, 32))
    .unlessCxIsZero('callout')
    .loadCx(LOAD, WAITING, 32)
    .unlessCxIsZero('callout')
    .code(native)
    .done(next)
    .now(FIXUP.cx | FIXUP.flags)
    .loadCx(LOAD, FLAGS_BYTE)
    .code(onVirtualCpu(STORE_BYTE, CX, VIRTUAL_FLAGS, shape, 8))
    .now(FIXUP.cx)
    .load(CX, SAVED_CX).pieces;
}

/** What the two tables hold for bits 15:8 of RFLAGS. */
export function flagTables(): {readonly pushf: readonly bigint[]; readonly popf: readonly bigint[]} {
  const bytes = Array.from({length: LOOKUP_ENTRIES}, (_, byte) => byte);
  return {
    pushf: bytes.map(byte => ((byte & IF_IN_BYTE) === 0 ? BigInt.asUintN(64, -0x200n) : 0n)),
    popf: bytes.map(byte => ((byte & NOT_IN_CACHE) === 0 ? 0n : 1n)),
  };
}
