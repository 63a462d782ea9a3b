// For tests: machine code for every line of the opcode table, in every mode, operand size and operand shape.
// Made from the encoding patterns alone, so that it holds the decoder to account and not itself.

import type {CodeSize} from '../instruction.js';
import type {EncodingPattern, OpcodeForm} from '../opcodes/form.js';
import {OPCODES} from '../opcodes/table.js';

export interface FormSample {
  readonly form: OpcodeForm;
  readonly codeSize: CodeSize;
  readonly bytes: Uint8Array;
}

export const CODE_SIZES: readonly CodeSize[] = [16, 32, 64];

/** A ModR/M byte without its reg field, and what follows it. */
interface Shape {
  readonly modrm: number;
  readonly tail: readonly number[];
}

const REGISTER: Shape = {modrm: 0xc1, tail: []};
const SHAPES_16: readonly Shape[] = [
  REGISTER,
  {modrm: 0xc6, tail: []},
  {modrm: 0x00, tail: []},
  {modrm: 0x06, tail: [0x34, 0x12]},
  {modrm: 0x42, tail: [0xfc]},
  {modrm: 0x87, tail: [0x00, 0x80]},
];
const SHAPES_32: readonly Shape[] = [
  REGISTER,
  {modrm: 0xc6, tail: []},
  {modrm: 0x03, tail: []},
  {modrm: 0x05, tail: [0x78, 0x56, 0x34, 0x12]},
  {modrm: 0x45, tail: [0x80]},
  {modrm: 0x04, tail: [0x24]},
  {modrm: 0x04, tail: [0x8d, 0x10, 0, 0, 0]},
  {modrm: 0x44, tail: [0x9c, 0x7f]},
  {modrm: 0x84, tail: [0x25, 0xf0, 0xff, 0xff, 0xff]},
];

/** Prefixes that change sizes, one set at a time. */
const PREFIXES: readonly (readonly number[])[] = [[], [0x66], [0x67], [0x66, 0x67]];
const REX: readonly (readonly number[])[] = [[], [0x40], [0x48], [0x45], [0x4f]];

/** Every sample of every form. Some are not instructions (LGDT of a register): the decoder has to say so. */
export function formSamples(): readonly FormSample[] {
  return OPCODES.flatMap(form => CODE_SIZES.flatMap(codeSize => samplesOf(form, codeSize)));
}

function samplesOf(form: OpcodeForm, codeSize: CodeSize): FormSample[] {
  // REX and 67h have nothing to do with each other: they are not multiplied.
  return PREFIXES.flatMap(prefixes =>
    (codeSize === 64 && !prefixes.includes(0x67) ? REX : [[]]).flatMap(rex => {
      const sizes = sizesOf(codeSize, prefixes, rex);
      return bodies(form.pattern, form, codeSize, sizes).map(({opcode, rest}) => ({
        form,
        codeSize,
        bytes: Uint8Array.from([
          ...prefixes,
          ...mandatoryByte(form.pattern),
          ...rex,
          ...introduced(form, opcode),
          ...rest,
        ]),
      }));
    }),
  );
}

interface Sizes {
  readonly operand: number;
  readonly address: number;
}

function sizesOf(codeSize: CodeSize, prefixes: readonly number[], rex: readonly number[]): Sizes {
  const small = prefixes.includes(0x66),
    wide = ((rex[0] ?? 0) & 8) !== 0;
  const operand = codeSize === 16 ? (small ? 32 : 16) : wide ? 64 : small ? 16 : 32;
  const address = !prefixes.includes(0x67) ? codeSize : codeSize === 32 ? 16 : 32;
  return {operand, address};
}

const mandatoryByte = (pattern: EncodingPattern): readonly number[] =>
  typeof pattern.mandatory === 'number' && pattern.vex === undefined ? [pattern.mandatory] : [];

const VEX_PREFIXES = ['NP', 0x66, 0xf3, 0xf2];

/** The opcode, or a VEX prefix and the opcode's last byte. vvvv names RBX where it is used. */
function introduced({pattern, operandTypes}: OpcodeForm, opcode: readonly number[]): readonly number[] {
  if (pattern.vex === undefined) return opcode;
  const map = opcode[1] === 0x38 ? 2 : 3;
  const register = operandTypes.some(type => type === 'r32v' || type === 'r64v') ? 0x60 : 0x78;
  const pp = VEX_PREFIXES.findIndex(prefix => prefix === pattern.mandatory);
  return [0xc4, 0xe0 | map, (pattern.vex << 7) | register | pp, opcode[2] ?? 0];
}

function bodies(pattern: EncodingPattern, form: OpcodeForm, codeSize: CodeSize, sizes: Sizes) {
  const opcodes = lowVariants(pattern).map(low => [...pattern.opcode.slice(0, -1), (pattern.opcode.at(-1) ?? 0) | low]);
  const immediates = pattern.immediates.flatMap(token => immediateBytes(token, form, codeSize, sizes));
  if (pattern.modrm === undefined) return opcodes.map(opcode => ({opcode, rest: immediates}));
  const shapes = pattern.registerOnly ? [REGISTER] : sizes.address === 16 ? SHAPES_16 : SHAPES_32;
  const regs = pattern.modrm === 'r' ? [0, 2, 3, 7] : [pattern.modrm];
  return opcodes.flatMap(opcode =>
    shapes.flatMap(shape =>
      regs.map(reg => ({opcode, rest: [shape.modrm | (reg << 3), ...shape.tail, ...immediates]})),
    ),
  );
}

function lowVariants(pattern: EncodingPattern): readonly number[] {
  return pattern.low === 'r' ? [0, 3, 4, 7] : pattern.low === 'cc' ? [0, 4, 5, 15] : [0];
}

const BYTES = [0x85, 0x13, 0x24, 0xf5, 0x61, 0x72, 0x83, 0x94];

function immediateBytes(
  token: EncodingPattern['immediates'][number],
  form: OpcodeForm,
  codeSize: CodeSize,
  sizes: Sizes,
): readonly number[] {
  const wide = codeSize === 64 && form.attributes.has('f64');
  const half = sizes.operand === 16 && !wide ? 2 : 4;
  switch (token) {
    case 'ib':
    case 'cb':
      return BYTES.slice(0, 1);
    case 'iw':
      return BYTES.slice(0, 2);
    case 'iz':
    case 'cz':
      return BYTES.slice(0, half);
    case 'iq':
      return BYTES.slice(0, sizes.operand / 8);
    case 'ap':
      return BYTES.slice(0, half + 2);
    case 'mo':
      return BYTES.slice(0, sizes.address / 8);
  }
}
