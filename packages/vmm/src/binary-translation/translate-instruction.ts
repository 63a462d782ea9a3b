// One instruction of the guest's kernel: what stands for it in the translation cache. Whether it may be copied is `classify`'s
// answer. Adams and Agesen 2006, section 3.2: IDENT for most; not IDENT are RIP-relative addresses, control flow, and whatever
// is privileged or sensitive, which becomes a sequence that works on the virtual CPU, or a callout to the VMM.

import {hex} from '@hyperscope/base';
import {GENERAL_REGISTERS, cellIndex, classify, disassemble} from '@hyperscope/isa';
import type {Instruction, MemoryOperand, Microcode} from '@hyperscope/isa';
import {VIRTUAL_CPU} from '../trap-and-emulate/vmm-layout.js';
import {OPERAND_SIZE, callVmm, little, onVirtualCpu} from './cache-code.js';
import type {Bytes, CodeShape} from './cache-code.js';
import type {Piece} from './cache-sequence.js';
import {clearInterruptFlag, popFlags, pushFlags, setInterruptFlag} from './flag-sequences.js';
import {indirectSequence, returnSequence} from './look-up-sequences.js';
import {setTaskPriority} from './task-priority.js';

export type TranslationKind = 'ident' | 'in-cache' | 'callout' | 'control';

export interface TranslatedInstruction {
  readonly kind: TranslationKind;
  readonly why: string;
  readonly pieces: readonly Piece[];
  /** Nothing of the block comes after it. */
  readonly isLast: boolean;
  /** Interrupts are held back for the instruction behind it. */
  readonly holdsInterrupts: boolean;
}

/** What a translation is made for; it is good for no other. */
export interface CodeContext extends CodeShape {
  readonly ring: number;
  readonly realRing: number;
  readonly iopl: number;
  /** The last offset in the code segment. */
  readonly limit: number;
  /** Breakpoints on data: only whole instructions may run into them. */
  readonly isWatched: boolean;
  /** What CALL pushes in the place of the guest's own return address, by a translator that is wrong on purpose. */
  readonly wrongReturn?: bigint | undefined;
}

/** HLT, which traps outside ring 0. */
export const STUB_OPCODE = 0xf4;
/** As long as the jump that it may become. */
export const STUB: Bytes = [STUB_OPCODE, STUB_OPCODE, STUB_OPCODE, STUB_OPCODE, STUB_OPCODE];

export function translateInstruction(microcode: Microcode, rip: bigint, context: CodeContext): TranslatedInstruction {
  const {instruction} = microcode;
  const classification = classify(microcode);
  if (classification.sensitive || classification.privileged || classification.systemCall)
    return inCache(instruction, rip, context) ?? callout(rip, classification.sentence, context);
  if (microcode.operations.some(({op}) => op === 'jump')) return control(instruction, rip, context);
  return identical(instruction, rip, context);
}

export function callout(rip: bigint, why: string, shape: CodeShape): TranslatedInstruction {
  const pieces = [pieceOf(callVmm(shape), rip, 'callout')];
  const sentence = `${why}: a callout, the VMM carries it out on the virtual CPU`;
  return {kind: 'callout', why: sentence, pieces, isLast: true, holdsInterrupts: false};
}

const pieceOf = (bytes: Bytes, rip: bigint, kind: Piece['kind']): Piece => ({bytes, rip, kind, fixups: 0});

// ── copies ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function identical(instruction: Instruction, rip: bigint, context: CodeContext): TranslatedInstruction {
  const {segment} = instruction.prefixes;
  if (context.codeSize !== 64 && (segment === 'CS' || segment === 'GS'))
    return callout(
      rip,
      `it addresses memory by ${segment}, which holds the VMM’s own while translated code runs`,
      context,
    );
  const relative = instruction.operands.find(
    (operand): operand is MemoryOperand => operand.kind === 'memory' && operand.base === 'RIP',
  );
  if (relative !== undefined) return absolute(instruction, relative, rip, context);
  return {
    kind: 'ident',
    why: 'innocuous: copied as it is',
    pieces: [pieceOf([...instruction.bytes], rip, 'ident')],
    isLast: false,
    holdsInterrupts: false,
  };
}

/** [RIP + d] in the cache would be another place: the address itself takes its place, as [disp32] of a SIB byte without base. */
function absolute(
  instruction: Instruction,
  {displacement}: MemoryOperand,
  rip: bigint,
  context: CodeContext,
): TranslatedInstruction {
  const {bytes, parts, prefixes} = instruction;
  const target = BigInt.asUintN(64, rip + BigInt(bytes.length) + displacement);
  const isIndexed = ((prefixes.rex ?? 0) & 2) !== 0;
  if (BigInt.asUintN(64, BigInt.asIntN(32, target)) !== target || prefixes.addressSize || isIndexed)
    return callout(rip, `the address ${hex(target)}, relative to RIP, cannot be said in another way`, context);
  const at = parts.modrm ?? 0;
  const [, after] = parts.displacement ?? [0, at + 1 + 4];
  const head = [...bytes.slice(0, at), ((bytes[at] ?? 0) & 0x38) | 4, 0x25];
  return {
    kind: 'ident',
    why: `innocuous, but its address is relative to RIP: copied with the address ${hex(target)} in its place`,
    pieces: [pieceOf([...head, ...little(target, 4), ...bytes.slice(after)], rip, 'ident')],
    isLast: false,
    holdsInterrupts: false,
  };
}

// ── sequences on the virtual CPU ────────────────────────────────────────────────────────────────────────────────────

/** What the VMM would do, done by instructions that change no flag. Undefined where that cannot be done. */
function inCache(instruction: Instruction, rip: bigint, context: CodeContext): TranslatedInstruction | undefined {
  if (context.ring !== 0 || !reachesVirtualCpu(context)) return undefined;
  const found =
    flags(instruction, rip, context) ?? priority(instruction, rip, context) ?? reads(instruction, rip, context);
  if (found === undefined) return undefined;
  const [pieces, why] = found;
  return {kind: 'in-cache', why, pieces, isLast: false, holdsInterrupts: instruction.mnemonic === 'STI'};
}

/** In IA-32e mode 16- and 32-bit code has the guest's GS. */
const reachesVirtualCpu = ({codeSize, isLongMode}: CodeContext): boolean => codeSize === 64 || !isLongMode;

type InCache = readonly [readonly Piece[], string] | undefined;

function flags(instruction: Instruction, rip: bigint, context: CodeContext): InCache {
  if (context.iopl !== 0) return undefined;
  const {form, width} = instruction;
  const native = [...instruction.bytes];
  switch (form.mnemonic.replace(/[DQ]$/u, '')) {
    case 'CLI':
      return [
        clearInterruptFlag(rip, context),
        'CLI is a store to the virtual CPU: IF ← 0, and IOPL is 0 here; the real IF stays 1',
      ];
    case 'STI':
      return [
        setInterruptFlag(rip, context),
        'STI is a store to the virtual CPU: IF ← 1; only where an interrupt waits does it call the VMM',
      ];
    case 'PUSHF':
      if (context.isWatched || width === 8) return undefined;
      return [
        pushFlags(rip, native, width, context),
        'PUSHF pushes the processor’s flags, and IF is put right by the virtual CPU’s before anybody sees it',
      ];
    case 'POPF':
      if (context.isWatched) return undefined;
      return [
        popFlags(rip, nextRip(instruction, rip, context), native, context),
        'POPF is executed, and IF goes to the virtual CPU; for TF, IOPL, or an interrupt that waits it calls the VMM',
      ];
    default:
      return undefined;
  }
}

function priority({mnemonic, operands}: Instruction, rip: bigint, context: CodeContext): InCache {
  const [to, from] = operands;
  if (mnemonic !== 'MOV' || to?.kind !== 'control' || to.number !== 8 || from?.kind !== 'register') return undefined;
  if (context.codeSize !== 64) return undefined;
  return [
    setTaskPriority(rip, GENERAL_REGISTERS.indexOf(from.register), context),
    'MOV to CR8 is a store to the virtual CPU, where the virtual interrupt controller looks; more than 15 is for the VMM',
  ];
}

/** Registers that the processor has for the VMM, and the guest in the virtual CPU; and the counter that both have. */
function reads(instruction: Instruction, rip: bigint, context: CodeContext): InCache {
  const one = (bytes: Bytes, why: string): InCache => [[pieceOf(bytes, rip, 'in-cache')], why];
  if (instruction.mnemonic === 'RDTSC')
    return one([0x0f, 0x31], 'RDTSC is executed: this VMM’s guest has the real counter, with an offset of 0');
  const [to, from] = instruction.operands;
  if (instruction.mnemonic !== 'MOV' || to?.kind !== 'register' || from === undefined) return undefined;
  const number = GENERAL_REGISTERS.indexOf(to.register);
  if (from.kind === 'control') {
    const cell = ({0: 'CR0', 2: 'CR2', 3: 'CR3', 4: 'CR4', 8: 'CR8'} as const)[from.number];
    if (cell === undefined) return undefined;
    const at = VIRTUAL_CPU + 8 * cellIndex(cell);
    return one(
      onVirtualCpu([0x8b], number, at, context),
      `${cell} is read from the virtual CPU: the processor’s own is the VMM’s`,
    );
  }
  if (from.kind === 'segment') {
    const opcode = to.width === 16 ? [0x8b] : [0x0f, 0xb7];
    const at = VIRTUAL_CPU + 8 * cellIndex(`${from.register}.selector`);
    return one(
      onVirtualCpu(opcode, number, at, context, to.width),
      `${from.register} is read from the virtual CPU: the processor’s own shows the real ring`,
    );
  }
  return undefined;
}

// ── control flow ────────────────────────────────────────────────────────────────────────────────────────────────────

const stubTo = (rip: bigint): Piece => pieceOf(STUB, rip, 'stub');

function control(instruction: Instruction, rip: bigint, context: CodeContext): TranslatedInstruction {
  const operand = instruction.operands[0];
  if (operand?.kind !== 'relative')
    return (
      indirect(instruction, rip, context) ??
      callout(rip, `${disassemble(instruction, rip)} goes where the guest says at that moment`, context)
    );
  const next = nextRip(instruction, rip, context);
  const target = BigInt.asUintN(instruction.width, next + operand.displacement);
  if (!isReachable(target, context)) return callout(rip, 'its target lies outside the code segment', context);
  if (instruction.mnemonic === 'JMP')
    return jump([stubTo(target)], 'a direct jump: to the fragment of its target, as soon as there is one');
  if (instruction.mnemonic === 'CALL') {
    const push = pushOf(next, instruction.width, context);
    if (push === undefined) return callout(rip, 'the return address is too long for PUSH', context);
    const pieces = [pieceOf(push, rip, 'control'), stubTo(target)];
    return jump(pieces, `a direct call: pushes ${hex(next)}, the guest’s own return address, and jumps`);
  }
  if (instruction.condition !== undefined) {
    // The other way round, so that the fall-through comes last and can be left out.
    const over = 0x70 | (((instruction.bytes[instruction.parts.opcode[1] - 1] ?? 0) & 15) ^ 1);
    const pieces = [pieceOf([over, STUB.length], rip, 'control'), stubTo(target), stubTo(next)];
    return jump(pieces, 'a conditional jump, with the condition inverted: the fall-through comes last');
  }
  // LOOP and JCXZ, which know only short targets.
  const short = [...instruction.bytes.slice(0, -1), STUB.length];
  const pieces = [pieceOf(short, rip, 'control'), stubTo(next), stubTo(target)];
  return jump(pieces, 'a jump on the counter: over the stub of the fall-through');
}

const jump = (pieces: readonly Piece[], why: string): TranslatedInstruction => ({
  kind: 'control',
  why,
  pieces,
  isLast: true,
  holdsInterrupts: false,
});

/** RET, and JMP and CALL with an operand: looked up in the cache. Undefined where only the VMM can. */
function indirect(instruction: Instruction, rip: bigint, context: CodeContext): TranslatedInstruction | undefined {
  const {width, mnemonic, operands} = instruction;
  const next = nextRip(instruction, rip, context);
  if (!reachesVirtualCpu(context) || context.isWatched) return undefined;
  if (mnemonic === 'RET') {
    const [more] = operands;
    const released = width / 8 + (more?.kind === 'immediate' ? Number(more.value) : 0);
    const pieces = returnSequence(rip, width, released, context);
    return jump(pieces, 'RET looks the guest’s own return address up in the cache; the VMM is called on a miss only');
  }
  const push = mnemonic === 'CALL' ? pushOf(next, width, context) : undefined;
  if (mnemonic !== 'JMP' && push === undefined) return undefined;
  const pieces = indirectSequence(rip, instruction, push, context);
  if (pieces === undefined) return undefined;
  const pushes = push === undefined ? '' : `, pushes ${hex(next)}, the guest’s own return address,`;
  return jump(pieces, `an indirect ${mnemonic} looks its target up in the cache${pushes} and jumps`);
}

/** The address behind an instruction, as the processor counts it. */
export function nextRip(instruction: Instruction, rip: bigint, {codeSize}: CodeContext): bigint {
  return BigInt.asUintN(codeSize === 64 ? 64 : 32, rip + BigInt(instruction.bytes.length));
}

function isReachable(target: bigint, {codeSize, limit}: CodeContext): boolean {
  return codeSize === 64 ? BigInt.asUintN(64, BigInt.asIntN(48, target)) === target : target <= BigInt(limit);
}

function pushOf(own: bigint, width: number, {codeSize, wrongReturn}: CodeContext): readonly number[] | undefined {
  const value = wrongReturn ?? own;
  if (width === 64) {
    const isShort = BigInt.asUintN(64, BigInt.asIntN(32, value)) === value;
    if (isShort) return [0x68, ...little(value, 4)];
    // PUSH, then the upper half: MOV dword [RSP + 4].
    return wrongReturn === undefined
      ? undefined
      : [0x68, ...little(value & 0xffff_ffffn, 4), 0xc7, 0x44, 0x24, 4, ...little(value >> 32n, 4)];
  }
  const prefix = (width === 16) === (codeSize === 16) ? [] : [OPERAND_SIZE];
  return [...prefix, 0x68, ...little(value, width / 8)];
}
