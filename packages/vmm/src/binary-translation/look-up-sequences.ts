// RET and indirect JMP and CALL as code of the cache: the address that the guest names is looked up in a table in the VMM's window, by
// its low byte, and compared without touching a flag: the table holds the negated address, LEA adds, JECXZ asks for zero. On a
// miss the VMM carries the instruction out and enters the fragment it leads to. Adams and Agesen 2006, section 3.2, "indirect
// control flow"; a guest return address stays the guest's.

import type {Instruction} from '@hyperscope/isa';
import {
  AX,
  CX,
  LOAD,
  LOAD_ZERO_EXTENDED_BYTE,
  LOAD_ZERO_EXTENDED_WORD,
  OPERAND_SIZE,
  addRegister,
  fromTable,
  jumpThrough,
  little,
  loadFromStack,
  onVirtualCpu,
  releaseStack,
  wordOf,
  zeroExtendByte,
} from './cache-code.js';
import type {Bytes, CodeShape} from './cache-code.js';
import {CacheSequence} from './cache-sequence.js';
import type {Piece} from './cache-sequence.js';
import {FIXUP} from './translated-frame.js';
import {JUMP, LOOKUP_TAGS, LOOKUP_TARGETS, SAVED_AX, SAVED_CX, TARGET} from './translation-layout.js';

/** `released`: bytes that RET takes from the stack, its own and its operand's. */
export function returnSequence(rip: bigint, width: number, released: number, shape: CodeShape): readonly Piece[] {
  const sequence = new CacheSequence(rip, 'control', shape).store(CX, SAVED_CX).store(AX, SAVED_AX);
  const opcode = width === 16 ? LOAD_ZERO_EXTENDED_WORD : LOAD;
  for (const bytes of loadFromStack(opcode, 0, shape, width)) sequence.code(bytes).now(FIXUP.cx);
  return lookUp(sequence).code(releaseStack(released, shape)).now(FIXUP.target).code(jumpThrough(JUMP, shape)).pieces;
}

/** JMP and CALL with an operand. `push`: the PUSH of the return address; undefined for JMP. */
export function indirectSequence(
  rip: bigint,
  instruction: Instruction,
  push: Bytes | undefined,
  shape: CodeShape,
): readonly Piece[] | undefined {
  const load = loadOperand(instruction, rip, shape);
  if (load === undefined) return undefined;
  const sequence = new CacheSequence(rip, 'control', shape).store(CX, SAVED_CX).store(AX, SAVED_AX);
  lookUp(sequence.code(load).now(FIXUP.cx));
  if (push !== undefined) sequence.code(push);
  return sequence.now(FIXUP.target).code(jumpThrough(JUMP, shape)).pieces;
}

/** CX has the address, and CX and AX are put aside. At the end they are back, and `JUMP` has the fragment. */
function lookUp(sequence: CacheSequence): CacheSequence {
  const {shape} = sequence;
  const word = wordOf(shape);
  return sequence
    .store(CX, TARGET)
    .code(zeroExtendByte(AX, CX, shape))
    .now(FIXUP.cx | FIXUP.ax)
    .code(fromTable(AX, LOOKUP_TAGS, AX, shape, word))
    .code(addRegister(CX, AX, shape))
    .unlessCxIsZero('miss')
    .code(onVirtualCpu(LOAD_ZERO_EXTENDED_BYTE, CX, TARGET, shape, 32))
    .code(fromTable(CX, LOOKUP_TARGETS, CX, shape, word))
    .store(CX, JUMP)
    .load(AX, SAVED_AX)
    .now(FIXUP.cx)
    .load(CX, SAVED_CX)
    .now(0);
}

const REX_INDEX_BASE = 3;
const REX_INDEX = 2;

/** MOV or MOVZX to CX of what the instruction has as its operand. Undefined where it cannot be said in the cache. */
function loadOperand(instruction: Instruction, rip: bigint, {codeSize}: CodeShape): Bytes | undefined {
  const {bytes, parts, prefixes, width, operands} = instruction;
  const [operand] = operands;
  if (parts.modrm === undefined || prefixes.lock || prefixes.repeat !== 'none') return undefined;
  const isMemory = operand?.kind === 'memory';
  if (isMemory && codeSize !== 64 && (operand.segment === 'CS' || operand.segment === 'GS')) return undefined;
  const legacy = bytes.slice(0, parts.opcode[0]).filter(byte => byte !== OPERAND_SIZE && (byte & 0xf0) !== 0x40);
  const small = codeSize === 16 ? [OPERAND_SIZE] : [];
  const rexBits = ((prefixes.rex ?? 0) & REX_INDEX_BASE) | (width === 64 ? 8 : 0);
  const rex = codeSize === 64 && rexBits !== 0 ? [0x40 | rexBits] : [];
  const opcode = width === 16 ? LOAD_ZERO_EXTENDED_WORD : LOAD;
  const modrm = ((bytes[parts.modrm] ?? 0) & 0xc7) | (CX << 3);
  const head = [...legacy, ...small, ...rex, ...opcode];
  if (!isMemory || operand.base !== 'RIP') return [...head, modrm, ...bytes.slice(parts.modrm + 1)];
  const target = BigInt.asUintN(64, rip + BigInt(bytes.length) + operand.displacement);
  if (BigInt.asUintN(64, BigInt.asIntN(32, target)) !== target || prefixes.addressSize || (rexBits & REX_INDEX) !== 0)
    return undefined;
  return [...head, (CX << 3) | 4, 0x25, ...little(target, 4)];
}
