// Encoding: which of an instruction's bytes say what. Prefixes, opcode, ModR/M, SIB, displacement and immediate, each with what it
// means here. SDM vol. 2, "Instruction Format".

import {hexBytes} from '@hyperscope/base';
import type {Instruction} from '../instruction.js';

export type EncodingKind = 'displacement' | 'immediate' | 'modrm' | 'opcode' | 'prefix' | 'sib';

/** A stretch of an instruction's bytes. All of them together are the instruction, in order. */
export interface EncodingPart {
  readonly kind: EncodingKind;
  /** Two uppercase hexadecimal digits for each byte: `0F A2`. */
  readonly bytes: string;
  /** `REX`, `ModR/M`, `imm8`. */
  readonly name: string;
  /** What it says in this instruction. */
  readonly meaning: string;
}

const text = (bytes: Uint8Array): string => hexBytes(bytes).toUpperCase();

const bits = (value: number, count: number): string => value.toString(2).padStart(count, '0');

/** The parts of an instruction's encoding. */
export function encodingParts(instruction: Instruction): readonly EncodingPart[] {
  const {parts, bytes} = instruction;
  const found: EncodingPart[] = [];
  const add = (kind: EncodingKind, range: readonly [number, number], name: string, meaning: string): void => {
    if (range[1] > range[0]) found.push({kind, bytes: text(bytes.subarray(...range)), name, meaning});
  };
  for (let at = parts.prefixes[0]; at < parts.prefixes[1]; at++) {
    const [name, meaning] = prefix(bytes[at] ?? 0, instruction);
    add('prefix', [at, at + 1], name, meaning);
  }
  const [start, end] = parts.opcode;
  // A VEX prefix holds what REX, the escape bytes and a mandatory prefix would say.
  const opcode = instruction.form.pattern.vex === undefined ? start : end - 1;
  add('prefix', [start, opcode], 'VEX', 'REX, the opcode map and a mandatory prefix in one; names one more register');
  add('opcode', [opcode, end], 'opcode', opcodeMeaning(instruction));
  if (parts.modrm !== undefined)
    add('modrm', [parts.modrm, parts.modrm + 1], 'ModR/M', modrmMeaning(bytes[parts.modrm] ?? 0, instruction));
  if (parts.sib !== undefined)
    add('sib', [parts.sib, parts.sib + 1], 'SIB', sibMeaning(bytes[parts.sib] ?? 0, instruction));
  if (parts.displacement !== undefined)
    add('displacement', parts.displacement, sized('disp', parts.displacement), displacementMeaning(instruction));
  if (parts.immediate !== undefined)
    add('immediate', parts.immediate, sized('imm', parts.immediate), immediateMeaning(instruction));
  return found;
}

const sized = (word: string, [from, to]: readonly [number, number]): string => `${word}${(to - from) * 8}`;

const SEGMENTS: Readonly<Record<number, string>> = {
  0x26: 'ES',
  0x2e: 'CS',
  0x36: 'SS',
  0x3e: 'DS',
  0x64: 'FS',
  0x65: 'GS',
};

function prefix(
  byte: number,
  {form, prefixes, codeSize, width}: Instruction,
): readonly [name: string, meaning: string] {
  if (codeSize === 64 && (byte & 0xf0) === 0x40) {
    if (byte !== prefixes.rex) return ['REX', 'ignored: another prefix follows it'];
    const set = [
      (byte & 8) === 0 ? '' : 'W: 64-bit operands',
      (byte & 4) === 0 ? '' : 'R: one more bit for reg',
      (byte & 2) === 0 ? '' : 'X: one more bit for the index',
      (byte & 1) === 0 ? '' : 'B: one more bit for r/m, the base or the opcode’s register',
    ].filter(bit => bit !== '');
    return ['REX', set.length === 0 ? 'SPL, BPL, SIL and DIL can be named' : set.join('; ')];
  }
  if (byte === form.pattern.mandatory) return ['mandatory', 'chooses the instruction together with the opcode'];
  const segment = SEGMENTS[byte];
  if (segment !== undefined)
    return ['segment', prefixes.segment === segment ? `${segment} instead of the usual segment` : 'ignored'];
  if (byte === 0xf0) return ['LOCK', 'nobody comes between the read and the write'];
  if (byte === 0x66) return ['operand size', `operands of ${width} bits instead of the usual size`];
  if (byte === 0x67) return ['address size', 'addresses of another size than usual'];
  return byte === 0xf3
    ? ['REP', 'repeats, RCX counts; REPE where ZF ends it']
    : ['REPNE', 'repeats until ZF = 1, RCX counts'];
}

function opcodeMeaning({form, mnemonic, operands, condition}: Instruction): string {
  if (condition !== undefined) return `${mnemonic}; its low four bits are the condition`;
  const [first] = operands;
  if (form.pattern.low === 'r' && first?.kind === 'register')
    return `${mnemonic}; its low three bits are the register, ${first.register}`;
  return mnemonic;
}

function modrmMeaning(byte: number, instruction: Instruction): string {
  const [mod, reg, rm] = [byte >> 6, (byte >> 3) & 7, byte & 7];
  const fields = `mod ${bits(mod, 2)}, reg ${bits(reg, 3)}, r/m ${bits(rm, 3)}`;
  const {modrm} = instruction.form.pattern;
  const regSays = typeof modrm === 'number' ? `; reg is /${modrm} of the opcode` : '';
  const memory = instruction.operands.find(operand => operand.kind === 'memory');
  if (memory === undefined) return `${fields}${regSays}; r/m is a register`;
  const address = instruction.parts.sib === undefined ? `memory at ${addressText(memory)}` : 'memory, by the SIB byte';
  return `${fields}${regSays}; ${address}`;
}

function sibMeaning(byte: number, instruction: Instruction): string {
  const fields = `scale ${bits(byte >> 6, 2)}, index ${bits((byte >> 3) & 7, 3)}, base ${bits(byte & 7, 3)}`;
  const memory = instruction.operands.find(operand => operand.kind === 'memory');
  return memory === undefined ? fields : `${fields}; ${addressText(memory)}`;
}

function addressText({
  base,
  index,
  scale,
  displacement,
}: Extract<Instruction['operands'][number], {kind: 'memory'}>): string {
  const terms = [
    ...(base === undefined ? [] : [base === 'RIP' ? 'RIP of the next instruction' : base]),
    ...(index === undefined ? [] : [scale === 1 ? index : `${index}×${scale}`]),
    ...(displacement === 0n && base !== undefined ? [] : ['displacement']),
  ];
  return terms.join(' + ');
}

const signed = (value: bigint): string => (value < 0n ? `−0x${(-value).toString(16)}` : `0x${value.toString(16)}`);

function displacementMeaning({operands}: Instruction): string {
  const memory = operands.find(operand => operand.kind === 'memory');
  return memory === undefined ? '' : signed(memory.displacement);
}

function immediateMeaning({operands}: Instruction): string {
  for (const operand of operands) {
    if (operand.kind === 'immediate') return `0x${operand.value.toString(16)}`;
    if (operand.kind === 'relative') return `${signed(operand.displacement)} from the next instruction`;
    if (operand.kind === 'far')
      return `selector 0x${operand.selector.toString(16)}, offset 0x${operand.offset.toString(16)}`;
  }
  const memory = operands.find(operand => operand.kind === 'memory');
  return memory === undefined ? '' : `the address, ${signed(memory.displacement)}`;
}
