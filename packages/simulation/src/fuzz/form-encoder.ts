// Machine code for a line of the opcode table: prefixes, registers, operands and immediates are drawn, and the result is
// decoded to make sure that it is that line.

import {decode} from '@hyperscope/isa';
import type {Instruction, InstructionFeature, OpcodeForm, OperandType, SegmentRegister} from '@hyperscope/isa';
import {encodeLittle} from './little-endian.js';
import {goodOffset, memoryBytes} from './memory-operand.js';
import type {ProcessorView} from './memory-operand.js';
import type {Random} from './random.js';

/** What an instruction is wanted to look like, where that is not left to chance. */
export interface Wishes {
  /** The immediate, or a branch's distance. */
  readonly immediate?: bigint | undefined;
  /** ptr16:Z: the selector behind the offset. */
  readonly selector?: number | undefined;
  /** The offset of the memory operand. */
  readonly offset?: bigint | undefined;
  readonly override?: SegmentRegister | undefined;
  readonly operand?: 'memory' | 'register' | undefined;
  /** The register that r/m names. */
  readonly rm?: number | undefined;
  /** The reg field. */
  readonly reg?: number | undefined;
  /** No prefixes that are not needed. */
  readonly plain?: boolean | undefined;
}

const isMemoryOnly = (type: OperandType): boolean => /^m(\d*|V|16&M|16:V)$/.test(type);
const isRegisterOnly = (type: OperandType): boolean => type.startsWith('reg') || type === 'rmM';
const SEGMENT_PREFIXES: readonly (readonly [SegmentRegister, number])[] = [
  ['ES', 0x26],
  ['SS', 0x36],
  ['DS', 0x3e],
  ['FS', 0x64],
  ['GS', 0x65],
];
const CONTROL_REGISTERS: readonly [number, ...number[]] = [0, 2, 3, 4, 8];
const VEX_MANDATORY = ['NP', 0x66, 0xf3, 0xf2];

interface Prefixes {
  readonly legacy: readonly number[];
  readonly operandSize: 16 | 32 | 64;
  readonly addressSize: 16 | 32 | 64;
  readonly override: SegmentRegister | undefined;
  readonly w: 0 | 8;
  readonly lock: boolean;
}

export class FormEncoder {
  readonly #random: Random;
  readonly #view: ProcessorView;
  readonly #announced: ReadonlySet<InstructionFeature>;

  constructor(random: Random, view: ProcessorView, announced: ReadonlySet<InstructionFeature>) {
    this.#random = random;
    this.#view = view;
    this.#announced = announced;
  }

  /** An instruction of this line at `rip`; undefined where the draw did not give one. */
  encode(form: OpcodeForm, rip: bigint, wishes: Wishes = {}): Instruction | undefined {
    const prefixes = this.#prefixes(form, wishes);
    if (prefixes === undefined) return undefined;
    const bytes = this.#bytes(form, prefixes, rip, wishes);
    if (bytes === undefined) return undefined;
    const decoded = decode(bytes, this.#view.codeSize, 0, this.#announced);
    const isIt =
      decoded.kind === 'instruction' &&
      decoded.instruction.form === form &&
      decoded.instruction.bytes.length === bytes.length;
    return isIt ? decoded.instruction : undefined;
  }

  #prefixes({attributes, pattern}: OpcodeForm, wishes: Wishes): Prefixes | undefined {
    const random = this.#random;
    const {codeSize} = this.#view;
    const long = codeSize === 64;
    const chance = (percent: number): boolean => wishes.plain !== true && random.chance(percent);
    const needs = (['os16', 'os32', 'os64'] as const).find(each => attributes.has(each));
    if (needs === 'os64' && !long) return undefined;
    const wide = attributes.has('d64') || attributes.has('f64');
    const standard = codeSize === 16 ? 16 : long && wide ? 64 : 32;
    // Near branches with 66h in 64-bit code are Intel's or AMD's (SDM vol. 2, "JMP—Jump"; APM vol. 3, "JMP (Near)").
    const fixed = pattern.mandatory !== undefined || pattern.vex !== undefined || (long && attributes.has('f64'));
    const small =
      needs === undefined
        ? !fixed && chance(attributes.has('byte') ? 4 : 25)
        : needs === 'os16'
          ? !(codeSize === 16)
          : codeSize === 16;
    const wantsW =
      needs === 'os64' ? standard !== 64 : long && needs === undefined && !attributes.has('noW') && chance(40);
    const w = wantsW && pattern.vex === undefined ? 8 : 0;
    if (needs === 'os32' && long && standard === 64) return undefined;
    const operandSize =
      w === 8 ? 64 : small && pattern.mandatory === undefined ? (codeSize === 16 ? 32 : 16) : standard;
    const addresses = (['as16', 'as32', 'as64'] as const).find(each => attributes.has(each));
    const other = codeSize === 32 ? 16 : 32;
    const addressSize = addresses === undefined ? (chance(12) ? other : codeSize) : Number(addresses.slice(2));
    if (addressSize !== codeSize && addressSize !== other) return undefined;
    const override =
      wishes.override ?? (chance(10) ? random.pick<SegmentRegister>(['ES', 'SS', 'DS', 'FS', 'GS']) : undefined);
    const lock = attributes.has('lockable') && chance(15);
    const legacy = [
      ...(small && w === 0 ? [0x66] : []),
      ...(addressSize === codeSize ? [] : [0x67]),
      ...SEGMENT_PREFIXES.filter(([name]) => name === override).map(([, byte]) => byte),
      ...(lock ? [0xf0] : []),
      ...((attributes.has('rep') || attributes.has('repcc')) && chance(50) ? [random.chance(70) ? 0xf3 : 0xf2] : []),
      ...(typeof pattern.mandatory === 'number' && pattern.vex === undefined ? [pattern.mandatory] : []),
    ];
    return {legacy, operandSize, addressSize, override, w, lock};
  }

  #bytes(form: OpcodeForm, prefixes: Prefixes, rip: bigint, wishes: Wishes): Uint8Array | undefined {
    const random = this.#random;
    const {pattern} = form;
    const extended = this.#view.codeSize === 64;
    const immediates = pattern.immediates.flatMap(token => this.#immediate(token, form, prefixes, wishes));
    let rex: number = prefixes.w;
    let low = 0;
    if (pattern.low === 'cc') low = random.below(16);
    else if (pattern.low === 'r') {
      low = wishes.rm ?? this.#generalRegister(extended);
      rex |= low >> 3;
    }
    const opcode = [...pattern.opcode.slice(0, -1), (pattern.opcode.at(-1) ?? 0) | (low & 7)];
    const modrm =
      pattern.modrm === undefined
        ? {bytes: [], rex: 0}
        : this.#modrm(form, prefixes, wishes, {rip, after: immediates.length, opcode: opcode.length});
    if (modrm === undefined) return undefined;
    rex |= modrm.rex;
    if (pattern.vex !== undefined)
      return Uint8Array.from([
        ...prefixes.legacy,
        ...this.#vex(form, opcode, modrm.rex),
        ...modrm.bytes,
        ...immediates,
      ]);
    const hasRex = rex !== 0 || modrm.ripRelative === true || (extended && wishes.plain !== true && random.chance(8));
    return Uint8Array.from([
      ...prefixes.legacy,
      ...(hasRex ? [0x40 | rex] : []),
      ...opcode,
      ...modrm.bytes,
      ...immediates,
    ]);
  }

  /** Three bytes in place of prefixes and escape bytes; R, X and B are inverted. SDM vol. 2, "VEX Prefix". */
  #vex({pattern, operandTypes}: OpcodeForm, opcode: readonly number[], rex: number): readonly number[] {
    const uses = operandTypes.includes('r32v') || operandTypes.includes('r64v');
    const vvvv = uses ? this.#random.below(this.#view.codeSize === 64 ? 16 : 8) : 0;
    const pp = VEX_MANDATORY.indexOf(pattern.mandatory ?? 'NP');
    const map = opcode[1] === 0x38 ? 2 : 3;
    return [0xc4, ((~rex & 7) << 5) | map, ((pattern.vex ?? 0) << 7) | ((~vvvv & 15) << 3) | pp, opcode[2] ?? 0];
  }

  /** RSP is drawn seldom: it is the stack. */
  #generalRegister(extended: boolean): number {
    const number = this.#random.below(extended ? 16 : 8);
    return number === 4 && this.#random.chance(85) ? 3 : number;
  }

  #regField({pattern, operandTypes}: OpcodeForm, extended: boolean, wished: number | undefined): number {
    if (typeof pattern.modrm === 'number') return pattern.modrm;
    if (wished !== undefined) return wished;
    if (operandTypes.includes('sreg')) return this.#random.below(6);
    if (operandTypes.includes('cr')) return this.#random.pick(CONTROL_REGISTERS) & (extended ? 15 : 7);
    if (operandTypes.includes('dr')) return this.#random.below(8);
    return this.#generalRegister(extended);
  }

  #modrm(
    form: OpcodeForm,
    prefixes: Prefixes,
    wishes: Wishes,
    place: {readonly rip: bigint; readonly after: number; readonly opcode: number},
  ): {readonly bytes: readonly number[]; readonly rex: number; readonly ripRelative?: boolean} | undefined {
    const random = this.#random;
    const extended = this.#view.codeSize === 64;
    const reg = this.#regField(form, extended, wishes.reg);
    const rexR = (reg >> 3) << 2;
    const fields = (reg & 7) << 3;
    const isMemory = form.operandTypes.some(isMemoryOnly);
    const isRegister = form.pattern.registerOnly || form.operandTypes.some(isRegisterOnly);
    const register =
      isRegister || (!isMemory && wishes.operand !== 'memory' && (wishes.operand === 'register' || random.chance(45)));
    if (register && (!prefixes.lock || random.chance(3))) {
      const rm = wishes.rm ?? this.#generalRegister(extended);
      return {bytes: [0xc0 | fields | (rm & 7)], rex: rexR | (rm >> 3)};
    }
    const memory = memoryBytes(random, this.#view, {
      ...prefixes,
      offset: wishes.offset,
      aligned: form.operandTypes.some(type => type.endsWith('m128')),
      rip: place.rip,
      // With a RIP-relative operand there always is a REX prefix, so that the length is known.
      before: prefixes.legacy.length + 1 + (form.pattern.vex === undefined ? place.opcode : 3),
      after: place.after,
      extended,
    });
    if (memory === undefined) return undefined;
    const ripRelative = extended && memory.modrm === 5;
    return {bytes: [memory.modrm | fields, ...memory.tail], rex: rexR | memory.rex, ripRelative};
  }

  #immediate(token: string, form: OpcodeForm, prefixes: Prefixes, wishes: Wishes): readonly number[] {
    const {codeSize} = this.#view;
    const half = prefixes.operandSize === 16 && !(codeSize === 64 && form.attributes.has('f64')) ? 2 : 4;
    const bytes =
      {ib: 1, cb: 1, iw: 2, iz: half, cz: half, iq: prefixes.operandSize / 8, ap: half, mo: prefixes.addressSize / 8}[
        token
      ] ?? 0;
    const isFirst = form.pattern.immediates[0] === token;
    const wished = wishes.immediate;
    const drawn = (): bigint =>
      token === 'mo'
        ? goodOffset(this.#random, this.#view, prefixes.override ?? 'DS', {...prefixes, aligned: false})
        : this.#random.value(bytes * 8);
    const value = isFirst ? (wished ?? drawn()) : BigInt(this.#random.below(4));
    const out = encodeLittle(value, bytes);
    if (token !== 'ap') return out;
    const selector = wishes.selector ?? this.#random.below(0x10000);
    return [...out, selector & 0xff, selector >> 8];
  }
}
