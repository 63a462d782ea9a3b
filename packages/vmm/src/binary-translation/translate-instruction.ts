// One instruction of the guest's kernel: what stands for it in the translation cache. Whether it may be copied is `classify`'s
// answer. Adams and Agesen 2006, section 3.2: IDENT for most; not IDENT are RIP-relative addresses, control flow, and whatever
// is privileged or sensitive, which becomes a sequence that works on the virtual CPU, or a callout to the VMM.

import {hex} from '@hyperscope/base';
import {GENERAL_REGISTERS, cellIndex, classify, disassemble} from '@hyperscope/isa';
import type {Cell, CodeSize, Instruction, MemoryOperand, Microcode} from '@hyperscope/isa';
import {VIRTUAL_CPU, linearOf} from '../trap-and-emulate/vmm-layout.js';

export type TranslationKind = 'ident' | 'in-cache' | 'callout' | 'control';

/** Bytes for the cache, and the RIP that the guest has before they are executed. `stub`: where a translation is to be found first. */
export interface Piece {
  readonly bytes: readonly number[];
  readonly rip: bigint;
  readonly what: 'code' | 'stub';
}
export interface TranslatedInstruction {
  readonly kind: TranslationKind;
  readonly why: string;
  readonly pieces: readonly Piece[];
  /** Nothing of the block comes after it. */
  readonly isLast: boolean;
}

/** What a translation is made for; it is good for no other. */
export interface CodeContext {
  readonly codeSize: CodeSize;
  readonly isLongMode: boolean;
  readonly ring: number;
  readonly realRing: number;
  readonly iopl: number;
  /** The last offset in the code segment. */
  readonly limit: number;
}

/** HLT, which traps outside ring 0. */
export const STUB_OPCODE = 0xf4;
/** As long as the jump that it may become. */
export const STUB: readonly number[] = [STUB_OPCODE, STUB_OPCODE, STUB_OPCODE, STUB_OPCODE, STUB_OPCODE];
const GS_OVERRIDE = 0x65;
const OPERAND_SIZE = 0x66;
const ADDRESS_SIZE = 0x67;

export function translateInstruction(microcode: Microcode, rip: bigint, context: CodeContext): TranslatedInstruction {
  const {instruction} = microcode;
  const classification = classify(microcode);
  if (classification.sensitive || classification.privileged || classification.systemCall)
    return inCache(instruction, rip, context) ?? callout(rip, classification.sentence);
  if (microcode.operations.some(({op}) => op === 'jump')) return control(instruction, rip, context);
  return identical(instruction, rip, context);
}

export function callout(rip: bigint, why: string): TranslatedInstruction {
  return {
    kind: 'callout',
    why: `${why}: a callout, the VMM carries it out on the virtual CPU`,
    pieces: [{bytes: STUB, rip, what: 'code'}],
    isLast: true,
  };
}

// ── copies ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function identical(instruction: Instruction, rip: bigint, context: CodeContext): TranslatedInstruction {
  const {segment} = instruction.prefixes;
  if (context.codeSize !== 64 && (segment === 'CS' || segment === 'GS'))
    return callout(rip, `it addresses memory by ${segment}, which holds the VMM’s own while translated code runs`);
  const relative = instruction.operands.find(
    (operand): operand is MemoryOperand => operand.kind === 'memory' && operand.base === 'RIP',
  );
  if (relative !== undefined) return absolute(instruction, relative, rip);
  return {
    kind: 'ident',
    why: 'innocuous: copied as it is',
    pieces: [{bytes: [...instruction.bytes], rip, what: 'code'}],
    isLast: false,
  };
}

/** [RIP + d] in the cache would be another place: the address itself takes its place, as [disp32] of a SIB byte without base. */
function absolute(instruction: Instruction, {displacement}: MemoryOperand, rip: bigint): TranslatedInstruction {
  const {bytes, parts, prefixes} = instruction;
  const target = BigInt.asUintN(64, rip + BigInt(bytes.length) + displacement);
  const isIndexed = ((prefixes.rex ?? 0) & 2) !== 0;
  if (BigInt.asUintN(64, BigInt.asIntN(32, target)) !== target || prefixes.addressSize || isIndexed)
    return callout(rip, `the address ${hex(target)}, relative to RIP, cannot be said in another way`);
  const at = parts.modrm ?? 0;
  const [, after] = parts.displacement ?? [0, at + 1 + 4];
  const head = [...bytes.slice(0, at), ((bytes[at] ?? 0) & 0x38) | 4, 0x25];
  return {
    kind: 'ident',
    why: `innocuous, but its address is relative to RIP: copied with the address ${hex(target)} in its place`,
    pieces: [{bytes: [...head, ...little(target, 4), ...bytes.slice(after)], rip, what: 'code'}],
    isLast: false,
  };
}

// ── sequences on the virtual CPU ────────────────────────────────────────────────────────────────────────────────────

/** What the VMM would do, done by instructions that change no flag. Undefined where that cannot be done. */
function inCache(instruction: Instruction, rip: bigint, context: CodeContext): TranslatedInstruction | undefined {
  const reaches = context.codeSize === 64 || !context.isLongMode;
  if (context.ring !== 0 || !reaches) return undefined;
  const sequence = (bytes: readonly number[], why: string): TranslatedInstruction => ({
    kind: 'in-cache',
    why,
    pieces: [{bytes, rip, what: 'code'}],
    isLast: false,
  });
  if (instruction.mnemonic === 'CLI' && context.iopl === 0)
    return sequence(
      [...virtualCpuOperand([0xc6], 0, 'RFLAGS', 1, context), 0],
      'CLI is a store to the virtual CPU: IF ← 0, and IOPL is 0 here; the real IF stays 1',
    );
  const [to, from] = instruction.operands;
  if (instruction.mnemonic !== 'MOV' || to?.kind !== 'register' || from === undefined) return undefined;
  const number = GENERAL_REGISTERS.indexOf(to.register);
  if (from.kind === 'control' && from.number !== 8) {
    const cell = ({0: 'CR0', 2: 'CR2', 3: 'CR3', 4: 'CR4'} as const)[from.number];
    if (cell === undefined) return undefined;
    const bytes = virtualCpuOperand([0x8b], number, cell, 0, context, context.codeSize === 64 ? 64 : 32);
    return sequence(bytes, `${cell} is read from the virtual CPU: the processor’s own is the VMM’s`);
  }
  if (from.kind === 'segment') {
    const opcode = to.width === 16 ? [0x8b] : [0x0f, 0xb7];
    const bytes = virtualCpuOperand(opcode, number, `${from.register}.selector`, 0, context, to.width);
    return sequence(bytes, `${from.register} is read from the virtual CPU: the processor’s own shows the real ring`);
  }
  return undefined;
}

/** An instruction on a cell of the virtual CPU: by GS, or where there are no segments by its address, which 67h keeps below 4 GiB. */
function virtualCpuOperand(
  opcode: readonly number[],
  register: number,
  cell: Cell,
  offset: number,
  {codeSize}: CodeContext,
  width: number = codeSize,
): readonly number[] {
  const at = 8 * cellIndex(cell) + offset;
  const field = (register & 7) << 3;
  const small = (width === 16) === (codeSize === 16) ? [] : [OPERAND_SIZE];
  if (codeSize === 16) return [GS_OVERRIDE, ...small, ...opcode, field | 6, ...little(BigInt(at), 2)];
  if (codeSize === 32) return [GS_OVERRIDE, ...small, ...opcode, field | 5, ...little(BigInt(at), 4)];
  const rex = (width === 64 ? 0x48 : 0x40) | (register > 7 ? 4 : 0);
  const address = little(linearOf(VIRTUAL_CPU) + BigInt(at), 4);
  return [ADDRESS_SIZE, ...small, ...(rex === 0x40 ? [] : [rex]), ...opcode, field | 4, 0x25, ...address];
}

// ── control flow ────────────────────────────────────────────────────────────────────────────────────────────────────

const stubTo = (rip: bigint): Piece => ({bytes: STUB, rip, what: 'stub'});

function control(instruction: Instruction, rip: bigint, context: CodeContext): TranslatedInstruction {
  const operand = instruction.operands[0];
  const next = nextRip(instruction, rip, context);
  if (operand?.kind !== 'relative')
    return callout(
      rip,
      `${disassemble(instruction, rip)} goes where the guest says at that moment, which is looked up`,
    );
  const target = BigInt.asUintN(instruction.width, next + operand.displacement);
  if (!isReachable(target, context)) return callout(rip, 'its target lies outside the code segment');
  const direct = (pieces: readonly Piece[], why: string): TranslatedInstruction => ({
    kind: 'control',
    why,
    pieces,
    isLast: true,
  });
  if (instruction.mnemonic === 'JMP')
    return direct([stubTo(target)], 'a direct jump: to the fragment of its target, as soon as there is one');
  if (instruction.mnemonic === 'CALL') {
    const push = pushOf(next, instruction.width, context);
    if (push === undefined) return callout(rip, 'the return address is too long for PUSH');
    const pieces = [{bytes: push, rip, what: 'code'} as const, stubTo(target)];
    return direct(pieces, `a direct call: pushes ${hex(next)}, the guest’s own return address, and jumps`);
  }
  if (instruction.condition !== undefined) {
    // The other way round, so that the fall-through comes last and can be left out.
    const over = 0x70 | (((instruction.bytes[instruction.parts.opcode[1] - 1] ?? 0) & 15) ^ 1);
    const pieces = [{bytes: [over, STUB.length], rip, what: 'code'} as const, stubTo(target), stubTo(next)];
    return direct(pieces, 'a conditional jump, with the condition inverted: the fall-through comes last');
  }
  // LOOP and JCXZ, which know only short targets.
  const pieces = [
    {bytes: [...instruction.bytes.slice(0, -1), STUB.length], rip, what: 'code'} as const,
    stubTo(next),
    stubTo(target),
  ];
  return direct(pieces, 'a jump on the counter: over the stub of the fall-through');
}

/** The address behind an instruction, as the processor counts it. */
export function nextRip(instruction: Instruction, rip: bigint, {codeSize}: CodeContext): bigint {
  return BigInt.asUintN(codeSize === 64 ? 64 : 32, rip + BigInt(instruction.bytes.length));
}

function isReachable(target: bigint, {codeSize, limit}: CodeContext): boolean {
  return codeSize === 64 ? BigInt.asUintN(64, BigInt.asIntN(48, target)) === target : target <= BigInt(limit);
}

function pushOf(value: bigint, width: number, {codeSize}: CodeContext): readonly number[] | undefined {
  if (width === 64) {
    const isShort = BigInt.asUintN(64, BigInt.asIntN(32, value)) === value;
    return isShort ? [0x68, ...little(value, 4)] : undefined;
  }
  const prefix = (width === 16) === (codeSize === 16) ? [] : [OPERAND_SIZE];
  return [...prefix, 0x68, ...little(value, width / 8)];
}

export function little(value: bigint, bytes: number): readonly number[] {
  return Array.from({length: bytes}, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}
