// A line as a statement: what it defines and what it emits, before any address is known.

import {isMnemonic, registerByName, type RequestedPrefixes, type SegmentRegister} from '@hyperscope/isa';
import {Cursor} from './cursor.js';
import {SourceError, type Origin} from './diagnostics.js';
import {parseData, parseReserve, type DataItem} from './data.js';
import {directiveNames, parseDirective, type Directive} from './directive.js';
import {parseExpression, type Expression, type Place} from './expression.js';
import {textOf, type Token} from './lexer.js';
import {parseOperand, type OperandSyntax} from './operand.js';
import {unknownWord} from './encode-advice.js';

export type Body =
  | {
      readonly kind: 'instruction';
      readonly mnemonic: string;
      readonly prefixes: RequestedPrefixes;
      readonly operands: readonly OperandSyntax[];
      readonly place: Place;
      /** The same words with the same bits mean the same bytes, unless a symbol is among them. */
      readonly key: string;
    }
  /** Prefixes alone on a line: `rep`, `lock`. */
  | {readonly kind: 'prefixes'; readonly prefixes: RequestedPrefixes; readonly place: Place}
  | {readonly kind: 'data'; readonly unit: 1 | 2 | 4 | 8; readonly items: readonly DataItem[]; readonly place: Place}
  | {readonly kind: 'reserve'; readonly unit: number; readonly count: Expression; readonly place: Place}
  | {readonly kind: 'times'; readonly count: Expression; readonly body: Body; readonly place: Place}
  | {readonly kind: 'equ'; readonly name: string; readonly value: Expression; readonly place: Place}
  | Directive
  | {readonly kind: 'nothing'};

export interface Statement {
  readonly origin: Origin;
  readonly label: {readonly name: string; readonly place: Place} | undefined;
  readonly body: Body;
}

const UNITS: ReadonlyMap<string, 1 | 2 | 4 | 8> = new Map([
  ['db', 1],
  ['dw', 2],
  ['dd', 4],
  ['dq', 8],
]);
const RESERVES: ReadonlyMap<string, number> = new Map([
  ['resb', 1],
  ['resw', 2],
  ['resd', 4],
  ['resq', 8],
  ['rest', 10],
  ['reso', 16],
  ['resy', 32],
  ['resz', 64],
]);
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['dt', 'Ten-byte constants need floating point, which this assembler does not have: write the bytes with db.'],
  ['do', 'Write two dq instead of a do.'],
  ['incbin', 'Binary files cannot be included: write the bytes with db.'],
  ['struc', 'Structures are not supported: name the offsets with equ.'],
  ['endstruc', 'Structures are not supported: name the offsets with equ.'],
  ['istruc', 'Structures are not supported: write the fields with db, dw, dd and dq.'],
  ['absolute', 'Name the addresses with equ.'],
  ['common', 'A flat binary has nothing to link with: reserve the space with resb.'],
]);

type PrefixPatch = (prefixes: RequestedPrefixes) => RequestedPrefixes;
const rep: PrefixPatch = prefixes => ({...prefixes, repeat: 'rep'});
const repne: PrefixPatch = prefixes => ({...prefixes, repeat: 'repne'});
const PREFIXES: ReadonlyMap<string, PrefixPatch> = new Map([
  ['lock', prefixes => ({...prefixes, lock: true})],
  ['rep', rep],
  ['repe', rep],
  ['repz', rep],
  ['repne', repne],
  ['repnz', repne],
  ...([16, 32, 64] as const).map(
    size => [`o${size}`, (prefixes: RequestedPrefixes) => ({...prefixes, operandSize: size})] as const,
  ),
  ...([16, 32, 64] as const).map(
    size => [`a${size}`, (prefixes: RequestedPrefixes) => ({...prefixes, addressSize: size})] as const,
  ),
]);

function segmentPrefix(word: string): SegmentRegister | undefined {
  const register = registerByName(word);
  return register?.kind === 'segment' ? register.register : undefined;
}

/** Words that start a statement's body, in lower case. */
function isKeyword(word: string): boolean {
  return (
    UNITS.has(word) ||
    RESERVES.has(word) ||
    word === 'times' ||
    word === 'equ' ||
    REFUSED.has(word) ||
    PREFIXES.has(word) ||
    segmentPrefix(word) !== undefined ||
    directiveNames.has(word) ||
    isMnemonic(word)
  );
}

/** Reads the label of a line; the rest of the line starts at the returned index. */
export function splitLabel(tokens: readonly Token[]): {readonly label: Statement['label']; readonly rest: number} {
  const [first, second] = tokens;
  if (first?.kind !== 'name' || first.text === '$' || first.text === '$$') return {label: undefined, rest: 0};
  const label = {name: first.text, place: {column: first.column, length: first.length}};
  if (second?.kind === 'punctuation' && second.text === ':') return {label, rest: 2};
  const isLabel =
    second?.kind === 'name' && (first.escaped || !isKeyword(first.lower)) && !second.escaped && isKeyword(second.lower);
  return isLabel ? {label, rest: 1} : {label: undefined, rest: 0};
}

/** The body of a line, read from `rest` on. Throws SourceError. */
export function parseBody(tokens: readonly Token[], rest: number, label: Statement['label']): Body {
  const cursor = new Cursor(tokens, rest);
  if (cursor.at('[')) {
    // [bits 64] is the primitive form of bits 64.
    const inner = tokens.slice(rest + 1, -1);
    if (tokens.at(-1)?.text !== ']')
      throw new SourceError(
        cursor.place,
        'A line cannot start with an operand.',
        'Write the instruction first; directives may stand in [ ].',
      );
    return parseBody(inner, 0, label);
  }
  const body = parseWord(cursor, label);
  cursor.end();
  return body;
}

function parseWord(cursor: Cursor, label: Statement['label']): Body {
  const token = cursor.peek();
  if (token === undefined) return {kind: 'nothing'};
  const place = {column: token.column, length: token.length};
  const word = cursor.word();
  if (word === undefined)
    throw new SourceError(
      place,
      `A statement cannot start with '${token.text}'.`,
      'Start the line with a label, an instruction or a directive.',
    );
  const unit = UNITS.get(word);
  const reserve = RESERVES.get(word);
  const refused = REFUSED.get(word);
  if (refused !== undefined) throw new SourceError(place, `${word} is not supported.`, refused);
  if (unit !== undefined) return parseData(cursor, unit);
  if (reserve !== undefined) return parseReserve(cursor, reserve);
  if (word === 'times') return parseTimes(cursor, label);
  if (word === 'equ') return parseEqu(cursor, label, place);
  if (directiveNames.has(word)) return parseDirective(cursor, inner => parseWord(inner, undefined));
  return parseInstruction(cursor);
}

function parseTimes(cursor: Cursor, label: Statement['label']): Body {
  const {place} = cursor;
  cursor.next();
  const count = parseExpression(cursor);
  const body = parseWord(cursor, label);
  const repeats =
    body.kind === 'instruction' || body.kind === 'data' || body.kind === 'reserve' || body.kind === 'prefixes';
  if (!repeats)
    throw new SourceError(
      place,
      'times repeats instructions and data only.',
      'Put an instruction, db, dw, dd, dq or resb after the count.',
    );
  return {kind: 'times', count, body, place: {...place, length: cursor.place.column - place.column}};
}

function parseEqu(cursor: Cursor, label: Statement['label'], place: Place): Body {
  cursor.next();
  if (label === undefined) throw new SourceError(place, 'equ has no name.', 'Write: NAME equ value.');
  return {kind: 'equ', name: label.name, value: parseExpression(cursor), place};
}

const NONE: RequestedPrefixes = {
  lock: false,
  repeat: 'none',
  segment: undefined,
  operandSize: undefined,
  addressSize: undefined,
};

function parseInstruction(cursor: Cursor): Body {
  const {place} = cursor;
  const key = textOf(cursor.tokens.slice(cursor.index));
  let prefixes = NONE;
  for (;;) {
    const token = cursor.peek();
    const word = cursor.word();
    if (token === undefined) return {kind: 'prefixes', prefixes, place};
    const segment = word === undefined ? undefined : segmentPrefix(word);
    const patch = word === undefined ? undefined : PREFIXES.get(word);
    if (segment !== undefined) prefixes = {...prefixes, segment};
    else if (patch !== undefined) prefixes = patch(prefixes);
    else if (word === undefined || !isMnemonic(word)) throw unknownWord(token, cursor.peek(1));
    else {
      cursor.next();
      return {
        kind: 'instruction',
        mnemonic: token.text,
        prefixes,
        operands: parseOperands(cursor),
        place: {column: token.column, length: token.length},
        key,
      };
    }
    cursor.next();
  }
}

function parseOperands(cursor: Cursor): readonly OperandSyntax[] {
  if (cursor.peek() === undefined) return [];
  const operands = [parseOperand(cursor)];
  while (cursor.skip(',')) operands.push(parseOperand(cursor));
  return operands;
}
