// x86 for the translation cache, encoded for the code size that the guest's code has: instructions on the virtual CPU and on what
// lies behind it, which 16- and 32-bit code reaches by GS and 64-bit code by its address, and the way out to the VMM. None of
// them changes a flag: the flags in the processor are the guest's.

import type {CodeSize} from '@hyperscope/isa';
import {CALL_GATE_32, CALL_GATE_64, VIRTUAL_CPU, linearOf} from '../trap-and-emulate/vmm-layout.js';
import {GATE_POINTER} from './translation-layout.js';

export type Bytes = readonly number[];
/** What the encodings depend on. */
export interface CodeShape {
  readonly codeSize: CodeSize;
  readonly stackSize: 16 | 32 | 64;
  readonly isLongMode: boolean;
}

const GS_OVERRIDE = 0x65;
const SS_OVERRIDE = 0x36;
export const OPERAND_SIZE = 0x66;
const ADDRESS_SIZE = 0x67;
const SIB_FOLLOWS = 4;
export const AX = 0;
export const CX = 1;
const SP = 4;

export const LOAD: Bytes = [0x8b];
export const STORE: Bytes = [0x89];
export const STORE_BYTE: Bytes = [0x88];
export const STORE_IMMEDIATE_BYTE: Bytes = [0xc6];
export const LOAD_ZERO_EXTENDED_BYTE: Bytes = [0x0f, 0xb6];
export const LOAD_ZERO_EXTENDED_WORD: Bytes = [0x0f, 0xb7];
export const LEA: Bytes = [0x8d];
const GROUP_5: Bytes = [0xff];
const POP_MEMORY: Bytes = [0x8f];

/** The width in which addresses of the guest's code are handled. */
export const wordOf = ({codeSize}: CodeShape): 32 | 64 => (codeSize === 64 ? 64 : 32);

export function little(value: bigint, bytes: number): Bytes {
  return Array.from({length: bytes}, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}

/** 66h and REX for an operand of `width`; 8 and 64-bit code's own 64 need none where `stack` says that the instruction is a stack's. */
function sized(width: number, register: number, {codeSize}: CodeShape, stack: 'stack' | 'data'): [Bytes, Bytes] {
  const isSmall = width !== 8 && width !== 64 && (width === 16) !== (codeSize === 16);
  const rex = (width === 64 && stack === 'data' ? 0x48 : 0x40) | (register > 7 ? 4 : 0);
  return [isSmall ? [OPERAND_SIZE] : [], rex === 0x40 ? [] : [rex]];
}

/** An instruction with an operand at an offset in the VMM's window, which lies with the virtual CPU. */
export function onVirtualCpu(
  opcode: Bytes,
  register: number,
  offset: number,
  shape: CodeShape,
  width: number = wordOf(shape),
  stack: 'stack' | 'data' = 'data',
): Bytes {
  const field = (register & 7) << 3;
  const [small, rex] = sized(width, register, shape, stack);
  const at = BigInt(offset - VIRTUAL_CPU);
  if (shape.codeSize === 16) return [GS_OVERRIDE, ...small, ...opcode, field | 6, ...little(at, 2)];
  if (shape.codeSize === 32) return [GS_OVERRIDE, ...small, ...opcode, field | 5, ...little(at, 4)];
  return [ADDRESS_SIZE, ...small, ...rex, ...opcode, field | SIB_FOLLOWS, 0x25, ...little(linearOf(offset), 4)];
}

/** A load from [offset + 8 × index], index a register whose upper bits are zero. */
export function fromTable(register: number, offset: number, index: number, shape: CodeShape, width: number): Bytes {
  const [small, rex] = sized(width, register, shape, 'data');
  const address = [((register & 7) << 3) | SIB_FOLLOWS, 0xc0 | (index << 3) | 5];
  if (shape.codeSize === 64) return [ADDRESS_SIZE, ...rex, ...LOAD, ...address, ...little(linearOf(offset), 4)];
  const prefixes = shape.codeSize === 16 ? [GS_OVERRIDE, ADDRESS_SIZE, ...small] : [GS_OVERRIDE, ...small];
  return [...prefixes, ...LOAD, ...address, ...little(BigInt(offset - VIRTUAL_CPU), 4)];
}

/** LEA register, [register + other]: an addition that no flag tells of. */
export function addRegister(register: number, other: number, shape: CodeShape): Bytes {
  const rest = [...LEA, (register << 3) | SIB_FOLLOWS, (other << 3) | register];
  if (shape.codeSize === 64) return [0x48, ...rest];
  return shape.codeSize === 16 ? [ADDRESS_SIZE, OPERAND_SIZE, ...rest] : rest;
}

/** MOVZX of a byte register to the whole of a register. */
export function zeroExtendByte(register: number, from: number, shape: CodeShape): Bytes {
  return [...(shape.codeSize === 16 ? [OPERAND_SIZE] : []), ...LOAD_ZERO_EXTENDED_BYTE, 0xc0 | (register << 3) | from];
}

/** JCXZ, JECXZ, JRCXZ: the one conditional jump that asks no flag. */
export function jumpIfCxIsZero(distance: number, {codeSize}: CodeShape): Bytes {
  return codeSize === 16 ? [ADDRESS_SIZE, 0xe3, distance] : [0xe3, distance];
}

/**
 * Instructions that load CX from [stack pointer + displacement]. A stack pointer of 16 bits is no address of 32: its upper half
 * may hold anything.
 */
export function loadFromStack(opcode: Bytes, displacement: number, shape: CodeShape, width: number): readonly Bytes[] {
  const [small, rex] = sized(opcode.length > 1 ? 32 : width, CX, shape, 'data');
  const wide = shape.codeSize === 16 ? [ADDRESS_SIZE] : [];
  if (shape.stackSize !== 16)
    return [[...wide, ...small, ...rex, ...opcode, 0x40 | (CX << 3) | SIB_FOLLOWS, 0x24, displacement]];
  const pointer = [...(shape.codeSize === 16 ? [OPERAND_SIZE] : []), ...LOAD_ZERO_EXTENDED_WORD, 0xc0 | (CX << 3) | SP];
  return [pointer, [SS_OVERRIDE, ...wide, ...small, ...opcode, 0x40 | (CX << 3) | CX, displacement]];
}

/** LEA on the stack pointer: what RET adds to it, with no flag the wiser. */
export function releaseStack(bytes: number, {codeSize, stackSize}: CodeShape): Bytes {
  const rest = [...LEA, 0x80 | (SP << 3) | SIB_FOLLOWS, 0x24, ...little(BigInt(bytes), 4)];
  if (codeSize === 64) return [0x48, ...rest];
  const small = (stackSize === 16) === (codeSize === 16) ? [] : [OPERAND_SIZE];
  return codeSize === 16 ? [ADDRESS_SIZE, ...small, ...rest] : [...small, ...rest];
}

export const jumpThrough = (offset: number, shape: CodeShape): Bytes =>
  onVirtualCpu(GROUP_5, 4, offset, shape, shape.codeSize, 'stack');
export const pushMemory = (offset: number, shape: CodeShape, width: number): Bytes =>
  onVirtualCpu(GROUP_5, 6, offset, shape, width, 'stack');
export const popMemory = (offset: number, shape: CodeShape, width: number): Bytes =>
  onVirtualCpu(POP_MEMORY, 0, offset, shape, width, 'stack');

/**
 * The way out: a far CALL through the VMM's call gate. It changes to ring 0 and its stack as an interrupt does, and is none: no
 * IDT, no error code, nothing to be decoded. SDM vol. 3A, "Accessing a Code Segment Through a Call Gate".
 */
export function callVmm(shape: CodeShape): Bytes {
  if (shape.codeSize === 64) return onVirtualCpu(GROUP_5, 3, GATE_POINTER, shape, 32);
  const gate = little(BigInt(shape.isLongMode ? CALL_GATE_64 : CALL_GATE_32), 2);
  return [0x9a, ...little(0n, shape.codeSize / 8), ...gate];
}
