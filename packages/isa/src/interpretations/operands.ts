// The operands of an instruction, by the operand types of its table line.

import {assertExists, assertUnreachable} from '@hyperscope/base';
import type {CodeSize, Operand, OperandSize, Prefixes, RegisterOperand} from '../instruction.js';
import type {OpcodeForm, OperandType} from '../opcodes/form.js';
import {SEGMENT_REGISTERS} from '../registers/cells.js';
import {MMX_REGISTERS, XMM_REGISTERS} from '../registers/vector-state.js';
import type {Cursor} from './cursor.js';
import {generalRegister, rexB} from './modrm.js';
import type {ModRm} from './modrm.js';
import {effectiveSegment} from './prefixes.js';

export interface OperandContext {
  readonly prefixes: Prefixes;
  readonly codeSize: CodeSize;
  readonly addressSize: 16 | 32 | 64;
  readonly width: OperandSize;
  readonly address: ModRm | undefined;
  /** The low three bits of the opcode, for +r. */
  readonly low: number;
  /** The register of VEX.vvvv. */
  readonly vexRegister: number;
}

/** Reads the immediates of a form and gives its operands; a text says why the encoding is undefined after all. */
export function readOperands(cursor: Cursor, form: OpcodeForm, context: OperandContext): readonly Operand[] | string {
  const operands: Operand[] = [];
  let trouble: string | undefined;
  for (const type of form.operandTypes) {
    const operand = readOperand(cursor, type, form, context);
    if (typeof operand === 'string') trouble ??= operand;
    else operands.push(operand);
  }
  return trouble ?? operands;
}

function readOperand(cursor: Cursor, type: OperandType, form: OpcodeForm, context: OperandContext): Operand | string {
  const {width, address} = context;
  const modeWidth = context.codeSize === 64 ? 64 : 32;
  switch (type) {
    case 'r8':
      return byNumber(form, context, 8);
    case 'r16':
      return byNumber(form, context, 16);
    case 'r32':
      return byNumber(form, context, 32);
    case 'r64':
      return byNumber(form, context, 64);
    case 'rV':
      return byNumber(form, context, width);
    case 'rM':
      return byNumber(form, context, modeWidth);
    case 'rmM':
      return register(address?.rm ?? 0, modeWidth, context.prefixes);
    case 'regV':
      return register(address?.rm ?? 0, width, context.prefixes);
    case 'regM':
      return register(address?.rm ?? 0, modeWidth, context.prefixes);
    case 'reg32':
      return register(address?.rm ?? 0, 32, context.prefixes);
    case 'reg64':
      return register(address?.rm ?? 0, 64, context.prefixes);
    case 'r32v':
      return register(context.vexRegister, 32, context.prefixes);
    case 'r64v':
      return register(context.vexRegister, 64, context.prefixes);
    case 'm8':
      return registerOrMemory(context, 8, 8);
    case 'mV':
      return registerOrMemory(context, width, width);
    case 'r/m8':
      return registerOrMemory(context, 8, 8);
    case 'r/m16':
      return registerOrMemory(context, 16, 16);
    case 'r/m32':
      return registerOrMemory(context, 32, 32);
    case 'r/m64':
      return registerOrMemory(context, 64, 64);
    case 'r/mV':
      return registerOrMemory(context, width, width);
    case 'r/mM':
      return registerOrMemory(context, modeWidth, modeWidth);
    case 'rV/m16':
      return registerOrMemory(context, width, 16);
    case 'm':
    case 'm16&M':
    case 'm16:V':
      return registerOrMemory(context, width, 0);
    case 'm64':
      return registerOrMemory(context, width, 64);
    case 'm128':
      return registerOrMemory(context, width, 128);
    case 'm16':
      return registerOrMemory(context, width, 16);
    case 'm32':
      return registerOrMemory(context, width, 32);
    case 'xmm':
    case 'mm':
    case 'regXmm':
    case 'regMm':
    case 'xmm/m32':
    case 'xmm/m64':
    case 'xmm/m128':
    case 'mm/m32':
    case 'mm/m64':
      return vectorOperand(type, context);
    case 'sreg':
      return segmentOperand(form, address?.reg ?? 0);
    case 'cr':
      return controlOperand(address?.reg ?? 0, context.codeSize);
    case 'dr':
      return debugOperand(address?.reg ?? 0);
    default:
      return readImmediate(cursor, type, context);
  }
}

type FieldType =
  | 'r8'
  | 'r16'
  | 'r32'
  | 'r64'
  | 'rV'
  | 'rM'
  | 'rmM'
  | 'regV'
  | 'regM'
  | 'reg32'
  | 'reg64'
  | 'r32v'
  | 'r64v'
  | 'm8'
  | 'mV'
  | 'r/m8'
  | 'r/m16'
  | 'r/m32'
  | 'r/m64'
  | 'r/mV'
  | 'r/mM'
  | 'rV/m16'
  | 'm'
  | 'm64'
  | 'm128'
  | 'm16'
  | 'm32'
  | 'xmm'
  | 'mm'
  | 'regXmm'
  | 'regMm'
  | 'xmm/m32'
  | 'xmm/m64'
  | 'xmm/m128'
  | 'mm/m32'
  | 'mm/m64'
  | 'm16&M'
  | 'm16:V'
  | 'sreg'
  | 'cr'
  | 'dr';

function readImmediate(cursor: Cursor, type: Exclude<OperandType, FieldType>, context: OperandContext): Operand {
  const {width} = context;
  const half = width === 16 ? 16 : 32;
  switch (type) {
    case 'imm8':
      return {kind: 'immediate', value: cursor.unsigned(8), width: 8};
    case 'imm8s':
      return {kind: 'immediate', value: BigInt.asUintN(width, cursor.signed(8)), width};
    case 'imm16':
      return {kind: 'immediate', value: cursor.unsigned(16), width: 16};
    case 'immZ':
      return {kind: 'immediate', value: BigInt.asUintN(width, cursor.signed(half)), width};
    case 'immV':
      return {kind: 'immediate', value: cursor.unsigned(width), width};
    case 'rel8':
      return {kind: 'relative', displacement: cursor.signed(8), width: 8};
    case 'relZ':
      return {kind: 'relative', displacement: cursor.signed(half), width: half};
    case 'ptr16:Z':
      return farPointer(cursor, half);
    case 'moffs8':
      return offsetOperand(cursor, context, 8);
    case 'moffsV':
      return offsetOperand(cursor, context, width);
    case 'AL':
      return {kind: 'register', register: 'RAX', width: 8, high: false};
    case 'rAX':
      return {kind: 'register', register: 'RAX', width, high: false};
    case 'AX':
      return {kind: 'register', register: 'RAX', width: 16, high: false};
    case 'CL':
      return {kind: 'register', register: 'RCX', width: 8, high: false};
    case 'DX':
      return {kind: 'register', register: 'RDX', width: 16, high: false};
    case '1':
      return {kind: 'immediate', value: 1n, width: 8};
    case 'ES':
    case 'CS':
    case 'SS':
    case 'DS':
    case 'FS':
    case 'GS':
      return {kind: 'segment', register: type};
    default:
      return assertUnreachable(type);
  }
}

/** The register of the reg field, or of the opcode's low bits where the line says +r. */
function byNumber(form: OpcodeForm, context: OperandContext, width: OperandSize): RegisterOperand {
  const number = form.pattern.low === 'r' ? context.low | rexB(context.prefixes) : (context.address?.reg ?? 0);
  return register(number, width, context.prefixes);
}

/** Byte registers 4 to 7 are AH CH DH BH without REX, SPL BPL SIL DIL with it. */
function register(number: number, width: OperandSize, prefixes: Prefixes): RegisterOperand {
  const high = width === 8 && prefixes.rex === undefined && number >= 4;
  return {kind: 'register', register: generalRegister(high ? number - 4 : number), width, high};
}

function registerOrMemory(context: OperandContext, registerWidth: OperandSize, memoryWidth: number): Operand {
  const {address} = context;
  if (address?.memory !== undefined) return {...address.memory, width: memoryWidth};
  return register(address?.rm ?? 0, registerWidth, context.prefixes);
}

/** REX extends the choice of XMM registers; there are eight MMX registers, whatever REX says. */
function vectorRegister(file: 'xmm' | 'mm', number: number): Operand {
  const register = file === 'xmm' ? XMM_REGISTERS[number] : MMX_REGISTERS[number & 7];
  return {kind: 'vector', register: assertExists(register, `${file} register ${number}`)};
}

const VECTOR_MEMORY = {
  xmm: undefined,
  mm: undefined,
  regXmm: undefined,
  regMm: undefined,
  'xmm/m32': 32,
  'xmm/m64': 64,
  'xmm/m128': 128,
  'mm/m32': 32,
  'mm/m64': 64,
} as const;

function vectorOperand(type: keyof typeof VECTOR_MEMORY, {address}: OperandContext): Operand {
  const memory = VECTOR_MEMORY[type];
  if (memory !== undefined && address?.memory !== undefined) return {...address.memory, width: memory};
  const number = type === 'xmm' || type === 'mm' ? address?.reg : address?.rm;
  return vectorRegister(/xmm/i.test(type) ? 'xmm' : 'mm', number ?? 0);
}

function segmentOperand(form: OpcodeForm, reg: number): Operand | string {
  // REX.R does not extend the choice of segment register.
  const segment = SEGMENT_REGISTERS[reg & 7];
  if (segment === undefined) return `there is no segment register ${reg & 7}`;
  if (segment === 'CS' && form.operandTypes[0] === 'sreg') return 'MOV cannot load CS';
  return {kind: 'segment', register: segment};
}

function controlOperand(number: number, codeSize: CodeSize): Operand | string {
  const exists = number === 0 || number === 2 || number === 3 || number === 4 || (number === 8 && codeSize === 64);
  return exists ? {kind: 'control', number} : `there is no CR${number}`;
}

function debugOperand(number: number): Operand | string {
  return number < 8 ? {kind: 'debug', number} : `there is no DR${number}`;
}

function farPointer(cursor: Cursor, width: 16 | 32): Operand {
  const offset = cursor.unsigned(width);
  return {kind: 'far', selector: Number(cursor.unsigned(16)), offset, width};
}

/** An offset without ModR/M. Its displacement is unsigned, as long as an address. */
function offsetOperand(cursor: Cursor, context: OperandContext, width: number): Operand {
  const {addressSize, prefixes, codeSize} = context;
  return {
    kind: 'memory',
    segment: effectiveSegment(prefixes, codeSize) ?? 'DS',
    base: undefined,
    index: undefined,
    scale: 1,
    displacement: cursor.unsigned(addressSize),
    addressSize,
    width,
  };
}
