// Makes a line of the opcode table: reads its encoding and its syntax once, when the module loads.

import {assert, assertExists} from '@hyperscope/base';
import {IMMEDIATE_TOKENS, INSTRUCTION_FEATURES, OPERAND_TYPES} from './form.js';
import type {
  Attribute,
  EncodingPattern,
  ImmediateToken,
  InstructionFeature,
  OpcodeForm,
  OperandType,
  Semantics,
} from './form.js';
import {TITLES} from './titles.js';

/** `needs bmi1`: the encoding exists where CPUID announces it. */
export type Requirement = `needs ${InstructionFeature}`;

/** A line of the opcode table. Throws an AssertionError when the line breaks the grammar in form.ts. */
export function op(
  encoding: string,
  syntax: string,
  semantics: Semantics,
  ...marks: readonly (Attribute | Requirement)[]
): OpcodeForm {
  const [mnemonic = '', ...rest] = syntax.split(' ');
  const operands = rest
    .join('')
    .split(',')
    .filter(text => text !== '');
  const title = assertExists(TITLES.get(titleKey(mnemonic, operands)), `no title for ${mnemonic} in titles.ts`);
  return {
    encoding,
    pattern: parseEncoding(encoding),
    syntax,
    mnemonic,
    operandTypes: operands.map(operandType),
    semantics,
    attributes: new Set(marks.filter(isAttribute)),
    feature: INSTRUCTION_FEATURES.find(feature => marks.includes(`needs ${feature}`)),
    title: title.words,
    source: `${title.volume}, "${title.section}—${title.words}"`,
  };
}

/** MOV of control and debug registers has sections of its own. */
function titleKey(mnemonic: string, operands: readonly string[]): string {
  if (mnemonic === 'MOVSD' && operands.length > 0) return 'MOVSD-XMM';
  if (mnemonic !== 'MOV') return mnemonic;
  return operands.includes('cr') ? 'MOV-CR' : operands.includes('dr') ? 'MOV-DR' : mnemonic;
}

const isAttribute = (mark: Attribute | Requirement): mark is Attribute => !mark.startsWith('needs ');

function operandType(text: string): OperandType {
  return assertExists(
    OPERAND_TYPES.find(type => type === text),
    `unknown operand type ${text}`,
  );
}

function parseEncoding(encoding: string): EncodingPattern {
  const tokens = encoding.split(' ');
  const vex = vexPrefix(tokens[0] ?? '');
  const mandatory = vex?.mandatory ?? mandatoryPrefix(tokens);
  const opcode: number[] = [...(vex?.escape ?? [])];
  const immediates: ImmediateToken[] = [];
  let low: 'r' | 'cc' | undefined;
  let modrm: 'r' | number | undefined;
  let registerOnly = false;
  for (const token of mandatory === undefined ? tokens : tokens.slice(1)) {
    const byte = /^([0-9A-F]{2})(\+r|\+cc)?$/.exec(token);
    const extension = /^\/([0-7])(r?)$/.exec(token);
    const immediate = IMMEDIATE_TOKENS.find(name => name === token);
    if (byte !== null) {
      opcode.push(parseInt(byte[1] ?? '', 16));
      if (byte[2] !== undefined) low = byte[2] === '+r' ? 'r' : 'cc';
    } else if (token === '/r') modrm = 'r';
    else if (extension !== null) {
      modrm = Number(extension[1]);
      registerOnly = extension[2] === 'r';
    } else immediates.push(assertExists(immediate, `unknown token ${token} in ${encoding}`));
  }
  assert(opcode.length >= 1 && opcode.length <= 3, `${encoding}: one to three opcode bytes`);
  return {mandatory, vex: vex?.w, opcode, low, modrm, registerOnly, immediates};
}

/** `VEX.0F38.F2.W1`: what would be escape bytes, mandatory prefix and REX.W without VEX. */
function vexPrefix(token: string) {
  const match = /^VEX\.0F(38|3A)\.(NP|66|F2|F3)\.W([01])$/.exec(token);
  if (match === null) return undefined;
  return {
    escape: [0x0f, match[1] === '38' ? 0x38 : 0x3a],
    mandatory: mandatoryPrefix([match[2] ?? '']),
    w: match[3] === '1' ? 1 : 0,
  } as const;
}

/** 66, F2 and F3 at the front are mandatory prefixes: no opcode of the table is one of these bytes. */
function mandatoryPrefix(tokens: readonly string[]): EncodingPattern['mandatory'] {
  switch (tokens[0]) {
    case 'NP':
      return 'NP';
    case '66':
      return 0x66;
    case 'F2':
      return 0xf2;
    case 'F3':
      return 0xf3;
    default:
      return undefined;
  }
}
