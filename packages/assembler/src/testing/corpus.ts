// A corpus of lines over every encoding that the project has: the opcode table is walked, and each operand type is
// written in many ways, right ones and wrong ones. What is wrong must be refused by nasm and by ours alike.

import {CONDITION_SPELLINGS, OPCODES, type CodeSize, type OpcodeForm, type OperandType} from '@hyperscope/isa';
import {memory} from './corpus-memory.js';
import {Random} from './random.js';

const R8 = ['al', 'cl', 'dl', 'bl', 'ah', 'ch', 'dh', 'bh'] as const;
const R8_REX = ['spl', 'bpl', 'sil', 'dil', 'r8b', 'r9b', 'r12b', 'r15b'] as const;
const STEMS = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'] as const;
const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const;

const SMALL = [
  '0',
  '1',
  '5',
  '127',
  '128',
  '255',
  '-1',
  '-128',
  '0x12',
  "'a'",
  '0b101',
  '17o',
  '0ffh',
  '256',
  '3+4',
  '~0',
] as const;
const LARGE = [
  '0',
  '1',
  '-1',
  '127',
  '128',
  '-128',
  '-129',
  '255',
  '256',
  '0x7fff',
  '0x8000',
  '0xff7f',
  '0xff80',
  '0xffff',
  '0x10000',
  '-0x8000',
  '-0x8001',
  '0x12345',
  '0x7fffffff',
  '0x80000000',
  '0xffffff80',
  '0xffffffff',
  '0x100000000',
  '-0x80000000',
  '-0x80000001',
  '0x123456789abcdef0',
  '0x7fffffffffffffff',
  '0x8000000000000000',
  '0xffffffffffffff80',
  '0xffffffffffffffff',
  '1<<4',
  "'ab'",
] as const;
const KEYWORDS = ['byte', 'word', 'dword', 'qword'] as const;

/** The width of the operands of one line: they mostly agree. */
interface Shape {
  readonly bits: CodeSize;
  readonly width: 16 | 32 | 64;
  readonly random: Random;
}

function register(width: 8 | 16 | 32 | 64, {bits, random}: Shape): string {
  const extended = bits === 64 ? random.once(3) : random.once(60);
  if (width === 8) return random.pick(extended ? R8_REX : R8);
  if (extended) return `r${8 + random.below(8)}${{16: 'w', 32: 'd', 64: ''}[width]}`;
  return {16: '', 32: 'e', 64: 'r'}[width] + random.pick(STEMS);
}

/** Registers 8 to 15 mostly where they exist, and MMX registers that are XMM registers' numbers seldom. */
function vector(file: 'xmm' | 'mm', {bits, random}: Shape): string {
  const extended = file === 'xmm' && (bits === 64 ? random.once(3) : random.once(60));
  return `${random.once(40) ? 'mm' : file}${random.below(8) + (extended ? 8 : 0)}`;
}

function keyword(width: number): string {
  return {8: 'byte ', 16: 'word ', 32: 'dword ', 64: 'qword ', 128: 'oword '}[width] ?? '';
}

/** A memory operand, its size written, left out, or (seldom) wrong. */
function sizedMemory(width: number, shape: Shape): string {
  const {random} = shape;
  const size = random.once(3) ? '' : random.once(25) ? `${random.pick(KEYWORDS)} ` : keyword(width);
  return size + memory(shape.bits, random);
}

function registerOrMemory(width: 8 | 16 | 32 | 64, access: number, shape: Shape): string {
  return shape.random.once(2) ? register(width, shape) : sizedMemory(access, shape);
}

function immediate(choices: readonly [string, ...string[]], width: number, {random}: Shape): string {
  const value = random.pick(choices);
  const size = random.once(5)
    ? keyword(width)
    : random.once(8)
      ? 'byte '
      : random.once(40)
        ? `${random.pick(KEYWORDS)} `
        : '';
  return (size !== '' && random.once(3) ? 'strict ' : '') + size + value;
}

function target(type: 'rel8' | 'relZ', {random}: Shape): string {
  const word = type === 'rel8' ? random.pick(['short ', '', '']) : random.pick(['near ', '', 'strict ', '']);
  return `${word}$${random.pick(['', '+2', '+100', '-100', '+127', '+129', '+130', '-126', '-127', '-128', '+1000', '-1000', '+131'])}`;
}

function operand(type: OperandType, form: OpcodeForm, shape: Shape): string {
  const {width, bits, random} = shape;
  const mode = random.once(20) ? (bits === 64 ? 32 : 64) : bits === 64 ? 64 : 32;
  switch (type) {
    case 'r8':
      return register(8, shape);
    case 'r16':
      return register(16, shape);
    case 'r32':
      return register(32, shape);
    case 'r64':
      return register(64, shape);
    case 'rV':
      return register(random.once(40) ? 16 : width, shape);
    case 'rM':
    case 'rmM':
      return register(mode, shape);
    case 'regV':
      return register(random.once(40) ? 16 : width, shape);
    case 'regM':
      return register(mode, shape);
    case 'reg32':
    case 'r32v':
      return register(32, shape);
    case 'reg64':
    case 'r64v':
      return register(64, shape);
    case 'm8':
      return sizedMemory(8, shape);
    case 'mV':
      return sizedMemory(width, shape);
    case 'r/m8':
      return registerOrMemory(8, 8, shape);
    case 'r/m16':
      return registerOrMemory(16, 16, shape);
    case 'r/m32':
      return registerOrMemory(32, 32, shape);
    case 'r/m64':
      return registerOrMemory(64, 64, shape);
    case 'r/mV':
      return registerOrMemory(width, width, shape);
    case 'r/mM':
      return registerOrMemory(mode, mode, shape);
    case 'rV/m16':
      return registerOrMemory(width, 16, shape);
    case 'm':
    case 'm64':
    case 'm16&M':
      return (random.once(12) ? keyword(width) : '') + memory(bits, random);
    case 'm128':
      return (random.once(4) ? 'oword ' : '') + memory(bits, random);
    case 'm16':
      return sizedMemory(16, shape);
    case 'm32':
      return sizedMemory(32, shape);
    case 'xmm':
    case 'regXmm':
      return vector('xmm', shape);
    case 'mm':
    case 'regMm':
      return vector('mm', shape);
    case 'xmm/m32':
      return random.once(2) ? vector('xmm', shape) : sizedMemory(32, shape);
    case 'xmm/m64':
      return random.once(2) ? vector('xmm', shape) : sizedMemory(64, shape);
    case 'xmm/m128':
      return random.once(2) ? vector('xmm', shape) : sizedMemory(128, shape);
    case 'mm/m32':
      return random.once(2) ? vector('mm', shape) : sizedMemory(32, shape);
    case 'mm/m64':
      return random.once(2) ? vector('mm', shape) : sizedMemory(64, shape);
    case 'AX':
      return 'ax';
    case 'm16:V':
      return (
        (form.operandTypes.length === 1 ? `far ${random.once(2) ? keyword(width) : ''}` : '') + memory(bits, random)
      );
    case 'imm8':
      return immediate(SMALL, 8, shape);
    case 'imm16':
      return immediate(LARGE, 16, shape);
    case 'imm8s':
    case 'immZ':
    case 'immV':
      return immediate(LARGE, width, shape);
    case 'rel8':
    case 'relZ':
      return target(type, shape);
    case 'ptr16:Z':
      return `${random.once(3) ? keyword(width) : ''}${random.pick(['8', '0x10', '0xf000'])}:${random.pick(['0', '0x10', '0xfff0', '0x12345', '$$'])}`;
    case 'moffs8':
      return `[${random.pick(SMALL)}]`;
    case 'moffsV':
      return `[${random.pick(['', '', 'dword ', 'word ', 'qword ', 'fs:'])}${random.pick(['0', '0x50', '0x1234', '0xffff'])}]`;
    case 'sreg':
      return random.pick(SEGMENTS);
    case 'cr':
      return `cr${random.pick([0, 2, 3, 4, 0, 3, 8])}`;
    case 'dr':
      return `dr${random.below(8)}`;
    case 'rAX':
      return `${{16: '', 32: 'e', 64: 'r'}[width]}ax`;
    default:
      return type.toLowerCase();
  }
}

function mnemonic(form: OpcodeForm, {random}: Shape): string {
  const name = form.mnemonic;
  if (!name.endsWith('cc')) return name.toLowerCase();
  const spellings = CONDITION_SPELLINGS[random.below(16)] ?? [];
  return (name.slice(0, -2) + (spellings[random.below(spellings.length)] ?? 'Z')).toLowerCase();
}

function prefix(form: OpcodeForm, operands: string, {bits, random}: Shape): string {
  if (form.attributes.has('rep') && random.once(2))
    return random.pick(['rep ', 'rep ', 'es rep ', 'repne ', 'rep fs ']);
  if (form.attributes.has('repcc') && random.once(2))
    return random.pick(['repe ', 'repne ', 'repz ', 'repnz ', 'repne gs ']);
  if (form.operandTypes.length === 0 && random.once(6)) return bits === 32 ? random.pick(['a16 ', 'a32 ']) : 'a32 ';
  if (form.attributes.has('lockable') && operands.startsWith('[') && random.once(3)) return 'lock ';
  return operands.includes('[') && random.once(30) ? `${random.pick(SEGMENTS)} ` : '';
}

/** One line of assembly for a line of the opcode table. */
export function lineFor(form: OpcodeForm, bits: CodeSize, random: Random): string {
  const widths = bits === 64 ? ([16, 32, 64, 64] as const) : random.once(30) ? ([64] as const) : ([16, 32] as const);
  const shape: Shape = {bits, width: random.pick(widths), random};
  const operands = form.operandTypes.map(type => operand(type, form, shape)).join(', ');
  return `${prefix(form, operands, shape)}${mnemonic(form, shape)} ${operands}`.trim();
}

/** `perForm` lines for every line of the opcode table, in one mode, without repetitions. */
export function corpus(bits: CodeSize, perForm: number, seed: number): readonly string[] {
  const random = new Random(seed + bits);
  const lines = new Set<string>();
  for (const form of OPCODES) {
    const wanted = form.operandTypes.length === 0 ? 2 : perForm;
    for (let index = 0; index < wanted; index++) lines.add(lineFor(form, bits, random));
  }
  return [...lines];
}
