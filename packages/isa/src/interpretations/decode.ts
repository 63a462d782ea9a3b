// Decode: bytes to an Instruction, by the opcode table. What is no instruction, what the project lacks, and what needs
// more bytes are different answers; none is a guess. Rules: SDM vol. 2, "Instruction Format"; where Intel and AMD differ
// (66h on near branches in 64-bit mode) this is Intel's processor.

import {hexBytes} from '@hyperscope/base';
import {CONDITIONS} from '../instruction.js';
import type {CodeSize, Condition, Instruction, OperandSize, Prefixes} from '../instruction.js';
import type {InstructionFeature, OpcodeForm} from '../opcodes/form.js';
import {unsupportedInstruction, unsupportedNeedsModrm} from '../opcodes/unsupported.js';
import type {OpcodePlace, UnsupportedInstruction} from '../opcodes/unsupported.js';
import {Cursor} from './cursor.js';
import {CANDIDATES} from './dispatch.js';
import type {Candidate} from './dispatch.js';
import {readModRm, rexB} from './modrm.js';
import {readOperands} from './operands.js';
import {MAXIMUM_LENGTH, readPrefixes} from './prefixes.js';
import {mayPrecedeVex, readVex} from './vex.js';
import type {VexPrefix} from './vex.js';

export type DecodeResult =
  | {readonly kind: 'instruction'; readonly instruction: Instruction}
  /** No processor has this encoding (or not in this mode, or not with these operands): #UD. */
  | {readonly kind: 'undefined'; readonly bytes: Uint8Array; readonly why: string}
  /** A real instruction that the project does not have yet. */
  | {
      readonly kind: 'unsupported';
      readonly bytes: Uint8Array;
      readonly what: string;
      /** The unit that CR0.EM and CR0.TS can declare absent, where it needs one. */
      readonly unit: UnsupportedInstruction['unit'];
    }
  /** `needed`: at least so many bytes from the start of the instruction are necessary to go on. */
  | {readonly kind: 'truncated'; readonly needed: number}
  /** More than 15 bytes: #GP(0). */
  | {readonly kind: 'too-long'};

/**
 * Decodes one instruction at `offset` of `bytes`. `codeSize` is 64 in 64-bit mode, else by CS.D. `announced`: what the
 * processor's CPUID announces; where it is left out, everything that the project knows exists.
 */
export function decode(
  bytes: Uint8Array,
  codeSize: CodeSize,
  offset = 0,
  announced?: ReadonlySet<InstructionFeature>,
): DecodeResult {
  const cursor = new Cursor(bytes, offset);
  const prefixes = readPrefixes(cursor, codeSize);
  const prefixEnd = cursor.length;
  const vex = readVex(cursor, codeSize);
  const slot = vex?.slot ?? readOpcode(cursor);
  if (cursor.overrun || cursor.length > MAXIMUM_LENGTH) return unfinished(cursor);
  const opcodeEnd = cursor.length;

  const place: OpcodePlace = {slot, prefix: vex?.mandatory ?? mandatoryPrefix(prefixes), codeSize};
  const candidates = CANDIDATES[slot] ?? [];
  const needsModrm = unsupportedNeedsModrm(slot) || candidates.some(usesModrm);
  const modrm = cursor.peek();
  if (needsModrm) {
    cursor.byte();
    if (cursor.overrun || cursor.length > MAXIMUM_LENGTH) return unfinished(cursor);
  }
  const sizes: Sizes = {prefixes, codeSize, addressSize: addressSizeOf(prefixes, codeSize), vex, announced};
  const fits = (each: Candidate): boolean => whyNot(each, place, modrm, sizes) === undefined;
  const exact = candidates.some(each => isExact(each) && fits(each));
  const unsupported = exact ? undefined : unsupportedInstruction(place, modrm);
  const isAnnounced = unsupported !== undefined && (announced === undefined || has(announced, unsupported.feature));
  if (unsupported !== undefined && isAnnounced) {
    const opcode = cursor.taken().slice(prefixEnd, unsupported.byModrm ? opcodeEnd + 1 : opcodeEnd);
    return {
      kind: 'unsupported',
      bytes: cursor.taken(),
      what: `${opcodeText(place, opcode)}: ${unsupported.name}`,
      unit: unsupported.unit,
    };
  }
  const candidate = candidates.find(fits);
  if (candidate === undefined) {
    const why = unsupported === undefined ? whyUndefined(candidates, place, modrm, sizes) : whyUnannounced(unsupported);
    return {kind: 'undefined', bytes: cursor.taken(), why};
  }
  if (needsModrm && !usesModrm(candidate)) cursor.length--;
  return complete(cursor, candidate, modrm, sizes, [prefixEnd, opcodeEnd]);
}

const has = (announced: ReadonlySet<InstructionFeature>, feature: InstructionFeature | undefined): boolean =>
  feature !== undefined && announced.has(feature);

/** Why an instruction that the project only knows by name does not exist here. */
function whyUnannounced({name, feature}: UnsupportedInstruction): string {
  return feature === undefined
    ? `${name} belongs to a part of the instruction set that this processor does not announce`
    : `${name}: ${missing(feature)}`;
}

interface Sizes {
  readonly prefixes: Prefixes;
  readonly codeSize: CodeSize;
  readonly addressSize: 16 | 32 | 64;
  readonly vex: VexPrefix | undefined;
  readonly announced: ReadonlySet<InstructionFeature> | undefined;
}

const usesModrm = ({form, fixedModrm}: Candidate): boolean =>
  form.pattern.modrm !== undefined || fixedModrm !== undefined;

/** A line that names its prefix or its whole ModR/M byte: it outranks what is said of the opcode in general. */
const isExact = ({form, fixedModrm}: Candidate): boolean =>
  fixedModrm !== undefined || typeof form.pattern.mandatory === 'number';

function unfinished(cursor: Cursor): DecodeResult {
  return cursor.length > MAXIMUM_LENGTH ? {kind: 'too-long'} : {kind: 'truncated', needed: cursor.length};
}

/** Reads the opcode and gives its slot: 256 × opcode map + the last byte. */
function readOpcode(cursor: Cursor): number {
  const first = cursor.byte();
  if (first !== 0x0f) return first;
  const second = cursor.byte();
  if (second !== 0x38 && second !== 0x3a) return 256 + second;
  return (second === 0x38 ? 512 : 768) + cursor.byte();
}

/** The prefix that may choose the instruction: F2 and F3 count before 66. */
function mandatoryPrefix(prefixes: Prefixes): OpcodePlace['prefix'] {
  if (prefixes.repeat !== 'none') return prefixes.repeat === 'rep' ? 0xf3 : 0xf2;
  return prefixes.operandSize ? 0x66 : 'NP';
}

function addressSizeOf(prefixes: Prefixes, codeSize: CodeSize): 16 | 32 | 64 {
  if (!prefixes.addressSize) return codeSize;
  return codeSize === 32 ? 16 : 32;
}

/** The effective operand size. SDM vol. 1, "Operand-Size and Address-Size Attributes"; vol. 2, "REX Prefixes". */
function operandSizeOf(form: OpcodeForm, {prefixes, codeSize}: Sizes): OperandSize {
  if (form.attributes.has('byte')) return 8;
  if (form.pattern.vex !== undefined) return form.pattern.vex === 1 ? 64 : 32;
  const small = prefixes.operandSize && form.pattern.mandatory !== 0x66;
  if (codeSize !== 64) return (codeSize === 16) === small ? 32 : 16;
  if (form.attributes.has('f64')) return 64;
  // REX.W outranks 66h.
  if (((prefixes.rex ?? 0) & 8) !== 0) return form.attributes.has('noW') ? 32 : 64;
  return small ? 16 : form.attributes.has('d64') ? 64 : 32;
}

/** Why a line of the table does not apply here; undefined when it does. */
function whyNot(candidate: Candidate, place: OpcodePlace, modrm: number, sizes: Sizes): string | undefined {
  const {form, fixedModrm} = candidate;
  const {mandatory, modrm: extension} = form.pattern;
  if (sizes.vex !== undefined && !fitsVex(form, sizes.vex, sizes.prefixes))
    return 'the VEX prefix does not fit this instruction';
  if (form.attributes.has('i64') && sizes.codeSize === 64) return 'it does not exist in 64-bit mode';
  if (form.attributes.has('o64') && sizes.codeSize !== 64) return 'it exists only in 64-bit mode';
  if (mandatory !== undefined && mandatory !== place.prefix) return 'no instruction has this prefix and opcode';
  if (fixedModrm !== undefined && fixedModrm !== modrm) return 'no instruction has this opcode and ModR/M byte';
  if (typeof extension === 'number' && extension !== ((modrm >> 3) & 7))
    return `opcode extension /${(modrm >> 3) & 7} is not defined`;
  if (candidate.operand === 'memory' && modrm >= 0xc0) return 'the operand must be in memory';
  if (candidate.operand === 'register' && modrm < 0xc0) return 'the operand must be a register';
  if (candidate.excludesRexB && rexB(sizes.prefixes) !== 0) return 'REX.B makes it another instruction';
  if (!sizeMatches(form, sizes)) return 'no form has this operand or address size';
  if (form.attributes.has('noFpu') && sizes.announced?.has('fpu') !== false) return 'the FPU has no such instruction';
  // Last, so that what is told as missing is what the bytes mean.
  return form.feature !== undefined && sizes.announced?.has(form.feature) === false ? missing(form.feature) : undefined;
}

function missing(feature: InstructionFeature): string {
  if (feature === 'i486') return 'it came with the 486, and this processor is older';
  if (feature === 'p6') return 'it came with the Pentium Pro, and this processor is older';
  return `this processor does not announce ${feature.toUpperCase()}`;
}

function fitsVex(form: OpcodeForm, vex: VexPrefix, prefixes: Prefixes): boolean {
  const isRegisterUsed = form.operandTypes.some(type => type === 'r32v' || type === 'r64v');
  const w = (vex.rex >> 3) & 1;
  return (
    mayPrecedeVex(prefixes) && vex.length === 0 && w === form.pattern.vex && (isRegisterUsed || vex.register === 0)
  );
}

function sizeMatches(form: OpcodeForm, sizes: Sizes): boolean {
  const {attributes} = form;
  const size = operandSizeOf(form, sizes);
  const bySize = attributes.has('os16') || attributes.has('os32') || attributes.has('os64');
  if (bySize && !attributes.has(size === 16 ? 'os16' : size === 32 ? 'os32' : 'os64')) return false;
  const byAddress = attributes.has('as16') || attributes.has('as32') || attributes.has('as64');
  return !byAddress || attributes.has(`as${sizes.addressSize}`);
}

function whyUndefined(candidates: readonly Candidate[], place: OpcodePlace, modrm: number, sizes: Sizes): string {
  const reasons = candidates.map(each => whyNot(each, place, modrm, sizes));
  const isTold = ({form}: Candidate, n: number): boolean =>
    form.feature !== undefined && reasons[n] === missing(form.feature);
  const telling = reasons[candidates.findIndex(isTold)];
  if (telling !== undefined) return telling;
  return reasons.find(reason => reason !== undefined) ?? 'the opcode map leaves this opcode empty';
}

/** Reads the rest of the instruction and makes it whole. */
function complete(
  cursor: Cursor,
  candidate: Candidate,
  modrm: number,
  sizes: Sizes,
  [prefixEnd, opcodeEnd]: readonly [number, number],
): DecodeResult {
  const {form} = candidate;
  const width = operandSizeOf(form, sizes);
  const hasModrm = form.pattern.modrm !== undefined;
  // Registers 8 to 15 are reached through VEX as they are through REX.
  const {vex} = sizes;
  const reaching = vex === undefined ? sizes : {...sizes, prefixes: {...sizes.prefixes, rex: vex.rex}};
  const registerForm = form.operandTypes.includes('rmM') || form.pattern.registerOnly ? 'registerForm' : 'anyForm';
  const address = hasModrm ? readModRm(cursor, modrm, reaching, registerForm) : undefined;
  const immediateStart = cursor.length;
  // Written out: a spread costs more than all the rest of decoding.
  const operands = readOperands(cursor, form, {
    prefixes: reaching.prefixes,
    codeSize: reaching.codeSize,
    addressSize: reaching.addressSize,
    width,
    address,
    low: lastOpcodeByte(cursor, opcodeEnd) & 7,
    vexRegister: vex?.register ?? 0,
  });
  if (cursor.overrun || cursor.length > MAXIMUM_LENGTH) return unfinished(cursor);
  const bytes = cursor.taken();
  if (typeof operands === 'string') return {kind: 'undefined', bytes, why: operands};
  if (sizes.announced?.has('cr4') === false && operands.some(each => each.kind === 'control' && each.number === 4))
    return {kind: 'undefined', bytes, why: 'this processor has no CR4: it is older than the Pentium'};
  const condition = form.pattern.low === 'cc' ? CONDITIONS[lastOpcodeByte(cursor, opcodeEnd) & 15] : undefined;
  if (sizes.prefixes.lock && !(form.attributes.has('lockable') && operands[0]?.kind === 'memory')) {
    return {kind: 'undefined', bytes, why: 'LOCK is not allowed here'};
  }
  const instruction: Instruction = {
    form,
    mnemonic: fullMnemonic(form, condition),
    bytes,
    codeSize: sizes.codeSize,
    width,
    addressSize: sizes.addressSize,
    operands,
    condition,
    prefixes: sizes.prefixes,
    parts: {
      prefixes: [0, prefixEnd],
      opcode: [prefixEnd, candidate.fixedModrm === undefined ? opcodeEnd : opcodeEnd + 1],
      modrm: hasModrm ? opcodeEnd : undefined,
      sib: address?.sibAt,
      displacement: address?.displacementAt,
      immediate: cursor.length > immediateStart ? [immediateStart, cursor.length] : undefined,
    },
  };
  return {kind: 'instruction', instruction};
}

const lastOpcodeByte = (cursor: Cursor, opcodeEnd: number): number => cursor.at(opcodeEnd - 1);

/** The mnemonic with its condition: `Jcc` and NZ give `JNZ`. */
function fullMnemonic(form: OpcodeForm, condition: Condition | undefined): string {
  return condition === undefined ? form.mnemonic : form.mnemonic.replace('cc', condition);
}

/** `0F 58`, with the mandatory prefix before it, for the message. */
function opcodeText(place: OpcodePlace, opcode: Uint8Array): string {
  const shown = place.prefix === 'NP' ? [...opcode] : [place.prefix, ...opcode];
  return hexBytes(shown).toUpperCase();
}
