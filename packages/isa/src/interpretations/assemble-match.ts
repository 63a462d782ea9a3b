// Tries one table line on the operands that were written: operand by operand, each by its type in the table.

import {assertUnreachable} from '@hyperscope/base';
import type {OperandType} from '../opcodes/form.js';
import {GENERAL_REGISTERS} from '../registers/cells.js';
import type {
  AssemblyFarPointer,
  AssemblyMemory,
  AssemblyOperand,
  AssemblyRegister,
  EncodeFailure,
  EncodeRequest,
} from './assemble-request.js';
import {encodeAddress} from './assemble-address.js';
import {placeRegister, segmentNumber, REX_B, REX_R, type Draft, type Matched} from './assemble-draft.js';
import {matchImmediate, matchTarget, type Place} from './assemble-immediates.js';
import type {Line} from './assemble-lines.js';
import {isVectorType, vectorRule, type VectorType} from './assemble-vectors.js';
import {eitherRange, within} from './assemble-ranges.js';

/** A width in bits: fixed, the operand size of the line, or the width of the mode (64 in 64-bit mode, else 32). */
type WidthRule = number | 'size' | 'mode';

/** General registers, in the reg field or in the opcode; and those that a VEX prefix names. */
const GENERAL = {r8: 8, r16: 16, r32: 32, r64: 64, rV: 'size', rM: 'mode'} as const;
const VEX = {r32v: 32, r64v: 64} as const;

/** Register or memory: the register's width (0: memory only) and the memory operand's (undefined: register only). */
const EITHER = {
  rmM: ['mode', undefined],
  regV: ['size', undefined],
  regM: ['mode', undefined],
  reg32: [32, undefined],
  reg64: [64, undefined],
  'r/m8': [8, 8],
  'r/m16': [16, 16],
  'r/m32': [32, 32],
  'r/m64': [64, 64],
  'r/mV': ['size', 'size'],
  'r/mM': ['mode', 'mode'],
  'rV/m16': ['size', 16],
  // nasm takes no size keyword here: the operand has a size of its own.
  'm16&M': [0, 0],
  m8: [0, 8],
  mV: [0, 'size'],
  m16: [0, 16],
  m32: [0, 32],
  m128: [0, 128],
} as const satisfies Record<string, readonly [WidthRule, WidthRule | undefined]>;

type Special = Exclude<OperandType, keyof typeof GENERAL | keyof typeof VEX | keyof typeof EITHER | VectorType>;

/** The operands, sorted by the type that the table wants in this place. */
export function matchOperand(place: Place, type: OperandType, written: AssemblyOperand): Matched {
  if (isKey(GENERAL, type)) return general(place, written, widthOf(place, GENERAL[type]));
  if (isKey(VEX, type)) return vexRegister(place, written, VEX[type]);
  if (isVectorType(type)) return matchVector(place, type, written);
  if (!isKey(EITHER, type)) return matchSpecial(place, type, written);
  const [register, memory] = EITHER[type];
  const memoryWidth = memory === undefined ? undefined : widthOf(place, memory);
  return registerOrMemory(place, written, widthOf(place, register), memoryWidth);
}

function isKey<K extends string>(table: Readonly<Record<K, unknown>>, key: string): key is K {
  return Object.hasOwn(table, key);
}

function widthOf({line, request}: Place, rule: WidthRule): number {
  if (rule === 'size') return line.operandSize ?? 8;
  if (rule === 'mode') return request.codeSize === 64 ? 64 : 32;
  return rule;
}

function matchSpecial(place: Place, type: Special, written: AssemblyOperand): Matched {
  const {mnemonic} = place.line.form;
  switch (type) {
    case 'm':
      return registerOrMemory(place, written, 0, mnemonic === 'LEA' ? 'any' : 0);
    case 'm64':
      return registerOrMemory(place, written, 0, mnemonic.startsWith('VM') ? 0 : 64);
    case 'm16:V':
      return farMemory(place, written);
    case 'moffs8':
      return offsetMemory(place, written, 8);
    case 'moffsV':
      return offsetMemory(place, written, widthOf(place, 'size'));
    case 'imm8':
    case 'imm8s':
    case 'imm16':
    case 'immZ':
    case 'immV':
    case '1':
      return written.kind === 'immediate' ? matchImmediate(place, type, written) : noForm(place);
    case 'rel8':
    case 'relZ':
      return written.kind === 'immediate' ? matchTarget(place, type, written) : noForm(place);
    case 'ptr16:Z':
      return written.kind === 'far' ? farPointer(place, written) : noForm(place);
    case 'sreg':
    case 'cr':
    case 'dr':
      return systemRegister(place, type, written);
    case 'AL':
    case 'AX':
    case 'rAX':
    case 'CL':
    case 'DX':
      return accumulator(place, type, written);
    case 'ES':
    case 'CS':
    case 'SS':
    case 'DS':
    case 'FS':
    case 'GS':
      return written.kind === 'segment' && written.register === type ? 'yes' : noForm(place);
    default:
      return assertUnreachable(type);
  }
}

/** An XMM or MMX register in its field, or the memory operand that may stand in its place. */
function matchVector(place: Place, type: VectorType, written: AssemblyOperand): Matched {
  const {field, memory, registers} = vectorRule(type);
  if (written.kind !== 'vector') {
    return memory === undefined ? noForm(place) : registerOrMemory(place, written, 0, memory);
  }
  const number = registers.indexOf(written.register);
  if (number < 0) return noForm(place);
  place.draft[field] = number & 7;
  if (number < 8) return 'yes';
  place.draft.rex |= field === 'reg' ? REX_R : REX_B;
  return place.request.codeSize === 64 ? 'yes' : {reason: 'needs-64-bit-mode', operand: place.operand};
}

export function noForm(place: {readonly line: Line}): EncodeFailure {
  return {reason: 'no-such-form', mnemonic: place.line.mnemonic, accepted: []};
}

function general(place: Place, written: AssemblyOperand, width: number): Matched {
  if (written.kind !== 'register' || written.width !== width) return noForm(place);
  place.draft.pinned = true;
  placeRegister(place.draft, place.line.form.pattern.low === 'r' ? 'low' : 'reg', written, place.operand);
  return reachable(place, written);
}

function vexRegister(place: Place, written: AssemblyOperand, width: number): Matched {
  if (written.kind !== 'register' || written.width !== width) return noForm(place);
  place.draft.vexRegister = GENERAL_REGISTERS.indexOf(written.register);
  return reachable(place, written);
}

/** 64-bit registers, R8 to R15, and SPL, BPL, SIL and DIL exist only in 64-bit mode. */
function reachable(place: Place, {register, width, high}: AssemblyRegister): Matched {
  if (place.request.codeSize === 64) return 'yes';
  const needsRex = width === 64 || /^R\d/.test(register) || (width === 8 && !high && /^R(SP|BP|SI|DI)$/.test(register));
  return needsRex ? {reason: 'needs-64-bit-mode', operand: place.operand} : 'yes';
}

/** `access`: the size in memory; 0 where none may be written, `any` where all are ignored, undefined: registers only. */
function registerOrMemory(
  place: Place,
  written: AssemblyOperand,
  width: number,
  access: number | 'any' | undefined,
): Matched {
  if (written.kind === 'register' && written.width === width) {
    place.draft.pinned = true;
    placeRegister(place.draft, 'rm', written, place.operand);
    return reachable(place, written);
  }
  if (written.kind !== 'memory' || access === undefined || written.distance === 'far') return noForm(place);
  const {size} = written;
  if (size !== undefined && access !== 'any' && size !== access) {
    return {reason: 'size-mismatch', operand: place.operand, written: size, needed: access};
  }
  if (size !== undefined && access !== 'any') place.draft.pinned = true;
  if (size === undefined && access !== 'any' && access > 0)
    place.draft.unsized = {operand: place.operand, size: access};
  return address(place, written);
}

function address(place: Place, written: AssemblyMemory): Matched {
  const encoded = encodeAddress(written, place.request.codeSize, place.request.prefixes.addressSize);
  if (!encoded.ok) return addressFailure(place, written, encoded);
  place.draft.memory = encoded;
  place.draft.rex |= encoded.rex;
  place.draft.addressSize = encoded.addressSize;
  place.draft.segment = written.segment;
  return 'yes';
}

type Unencodable = Exclude<ReturnType<typeof encodeAddress>, {readonly ok: true}>;

function addressFailure(place: Place, written: AssemblyMemory, failure: Unencodable): EncodeFailure {
  const {operand} = place;
  if ('why' in failure) return {reason: 'invalid-address', operand, why: failure.why};
  if ('range' in failure) return {reason: 'out-of-range', operand, value: written.displacement.value, ...failure.range};
  return {reason: 'needs-64-bit-mode', operand};
}

/** JMP and CALL want the word `far`; LES and its kin have no other reading and want none. */
function farMemory(place: Place, written: AssemblyOperand): Matched {
  if (written.kind !== 'memory') return noForm(place);
  const branch = place.line.form.operandTypes.length === 1;
  if ((written.distance === 'far') !== branch) return noForm(place);
  if (written.size !== undefined) {
    if (!branch || written.size !== place.line.operandSize) return noForm(place);
    place.draft.pinned = true;
  }
  return address(place, written);
}

/** An offset instead of a ModR/M byte. In 64-bit mode nasm takes it only when the address size was written. */
function offsetMemory(place: Place, written: AssemblyOperand, access: number): Matched {
  const {draft, request} = place;
  if (written.kind !== 'memory' || written.terms.length > 0 || written.distance !== undefined) return noForm(place);
  if (written.displacementSize === 8 || (written.size !== undefined && written.size !== access)) return noForm(place);
  const wide = request.codeSize === 64 && written.displacementSize === 64;
  if (request.codeSize === 64 && !wide && request.prefixes.addressSize !== 32) return noForm(place);
  if (wide) {
    draft.addressSize = 64;
    draft.longOffset = true;
    draft.immediates.push({value: written.displacement.value, bytes: 8});
  } else {
    const encoded = encodeAddress({...written, reference: 'absolute'}, request.codeSize, request.prefixes.addressSize);
    if (!encoded.ok) return addressFailure(place, written, encoded);
    draft.addressSize = encoded.addressSize;
    draft.immediates.push({value: written.displacement.value, bytes: encoded.addressSize / 8});
  }
  draft.segment = written.segment;
  draft.pinned = true;
  return 'yes';
}

function farPointer(place: Place, written: AssemblyFarPointer): Matched {
  const {draft, line, operand} = place;
  const size = line.operandSize ?? 16;
  if (written.size !== undefined && written.size !== size) return noForm(place);
  const settled = written.offset.certainty !== 'forward';
  if (settled && !within(written.offset.value, eitherRange(size))) {
    return {reason: 'out-of-range', operand, value: written.offset.value, ...eitherRange(size)};
  }
  if (!within(written.selector.value, eitherRange(16))) {
    return {reason: 'out-of-range', operand, value: written.selector.value, ...eitherRange(16)};
  }
  draft.pinned = written.size !== undefined;
  draft.immediates.push({value: written.offset.value, bytes: size / 8}, {value: written.selector.value, bytes: 2});
  return 'yes';
}

function systemRegister(place: Place, type: 'sreg' | 'cr' | 'dr', written: AssemblyOperand): Matched {
  if (type === 'sreg') {
    if (written.kind !== 'segment') return noForm(place);
    place.draft.reg = segmentNumber(written.register);
    return 'yes';
  }
  if (written.kind !== (type === 'cr' ? 'control' : 'debug') || !('number' in written)) return noForm(place);
  place.draft.reg = written.number & 7;
  if (written.number < 8) return 'yes';
  place.draft.rex |= REX_R;
  return place.request.codeSize === 64 ? 'yes' : {reason: 'needs-64-bit-mode', operand: place.operand};
}

function accumulator(place: Place, type: 'AL' | 'AX' | 'rAX' | 'CL' | 'DX', written: AssemblyOperand): Matched {
  if (written.kind !== 'register' || written.high) return noForm(place);
  const wanted = {
    AL: ['RAX', 8],
    AX: ['RAX', 16],
    CL: ['RCX', 8],
    DX: ['RDX', 16],
    rAX: ['RAX', place.line.operandSize],
  }[type];
  if (written.register !== wanted[0] || written.width !== wanted[1]) return noForm(place);
  if (type === 'rAX') place.draft.pinned = true;
  return 'yes';
}

/**
 * The size of a number is also the size of an operand in memory that has none: `add [x], byte 5` adds bytes.
 * No number is 64 bits long there, so `qword` does not say it.
 */
export function immediateConflict(line: Line, request: EncodeRequest, {unsized}: Draft): EncodeFailure | undefined {
  const settled = request.operands.some(({kind}) => kind === 'register');
  if (unsized === undefined || settled || isShift(line)) return undefined;
  for (const [index, operand] of request.operands.entries()) {
    if (operand.kind !== 'immediate' || operand.size === undefined) continue;
    const type = line.form.operandTypes[index];
    const sameSize = type === 'immZ' || type === 'imm8s' || (type === 'imm8' && line.form.attributes.has('byte'));
    if (!sameSize) continue;
    if (operand.size === 64) return {reason: 'size-not-specified', operand: unsized.operand, sizes: [8, 16, 32, 64]};
    if (operand.size !== unsized.size) return noForm({line});
  }
  return undefined;
}

/** C0 and C1 shift by a count, whose size says nothing about what is shifted. */
function isShift(line: Line): boolean {
  return line.form.pattern.opcode.length === 1 && (line.form.pattern.opcode[0] ?? 0) >> 1 === 0x60;
}
