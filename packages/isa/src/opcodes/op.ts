// Makes a line of the opcode table: reads its encoding and its syntax once, when the module loads.

import {assert, assertExists} from '@hyperscope/base';
import {IMMEDIATE_TOKENS, OPERAND_TYPES} from './form.js';
import type {Attribute, EncodingPattern, ImmediateToken, OpcodeForm, OperandType, Semantics} from './form.js';
import {TITLES} from './titles.js';

/** A line of the opcode table. Throws an AssertionError when the line breaks the grammar in form.ts. */
export function op(
  encoding: string,
  syntax: string,
  semantics: Semantics,
  ...attributes: readonly Attribute[]
): OpcodeForm {
  const [mnemonic = '', ...rest] = syntax.split(' ');
  const operands = rest
    .join('')
    .split(',')
    .filter(text => text !== '');
  const title = assertExists(TITLES.get(mnemonic), `no title for ${mnemonic} in titles.ts`);
  return {
    encoding,
    pattern: parseEncoding(encoding),
    syntax,
    mnemonic,
    operandTypes: operands.map(operandType),
    semantics,
    attributes: new Set(attributes),
    title: title.words,
    source: `SDM vol. ${title.volume}, "${title.section}—${title.words}"`,
  };
}

function operandType(text: string): OperandType {
  return assertExists(
    OPERAND_TYPES.find(type => type === text),
    `unknown operand type ${text}`,
  );
}

function parseEncoding(encoding: string): EncodingPattern {
  const tokens = encoding.split(' ');
  const mandatory = mandatoryPrefix(tokens);
  const opcode: number[] = [];
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
  return {mandatory, opcode, low, modrm, registerOnly, immediates};
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
