// Expressions as trees, with NASM's operators and precedence.

import {SourceError} from './diagnostics.js';
import type {Cursor} from './cursor.js';
import {characterValue} from './literals.js';
import {registerByName, type NamedRegister} from '@hyperscope/isa';

export interface Place {
  readonly column: number;
  readonly length: number;
}

export type Expression =
  | {readonly kind: 'number'; readonly value: bigint; readonly place: Place}
  | {readonly kind: 'register'; readonly register: NamedRegister; readonly place: Place}
  | {readonly kind: 'symbol'; readonly name: string; readonly place: Place}
  /** $ and $$. */
  | {readonly kind: 'here' | 'section-start'; readonly place: Place}
  | {readonly kind: 'unary'; readonly operator: UnaryOperator; readonly operand: Expression; readonly place: Place}
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly place: Place;
    }
  | {
      readonly kind: 'choice';
      readonly condition: Expression;
      readonly yes: Expression;
      readonly no: Expression;
      readonly place: Place;
    };

export type UnaryOperator = '-' | '+' | '~' | '!';

/** From the loosest to the tightest. */
const LEVELS = [
  ['||'],
  ['^^'],
  ['&&'],
  ['=', '==', '<>', '!=', '<', '<=', '>', '>=', '<=>'],
  ['|'],
  ['^'],
  ['&'],
  ['<<', '>>', '<<<', '>>>'],
  ['+', '-'],
  ['*', '/', '//', '%', '%%'],
] as const;
export type BinaryOperator = (typeof LEVELS)[number][number];

const PRECEDENCE: ReadonlyMap<string, {readonly operator: BinaryOperator; readonly level: number}> = new Map(
  LEVELS.flatMap((operators, level) => operators.map(operator => [operator, {operator, level}] as const)),
);

/** Operands, signs and parentheses of one expression: it is read and computed by functions that call themselves. */
const PART_LIMIT = 1000;

/** What of PART_LIMIT was used. */
interface Parts {
  count: number;
}

/** Reads one expression. Throws SourceError where it breaks off. */
export function parseExpression(cursor: Cursor): Expression {
  return parseChoice(cursor, {count: 0});
}

function parseChoice(cursor: Cursor, parts: Parts): Expression {
  const condition = parseBinary(cursor, 0, parts);
  if (!cursor.at('?')) return condition;
  cursor.next();
  const yes = parseChoice(cursor, parts);
  cursor.expect(':', 'A choice is written: condition ? value : other value.');
  const no = parseChoice(cursor, parts);
  return {kind: 'choice', condition, yes, no, place: spanning(condition.place, no.place)};
}

function parseBinary(cursor: Cursor, level: number, parts: Parts): Expression {
  let left = parseUnary(cursor, parts);
  for (;;) {
    const token = cursor.peek();
    const found = token?.kind === 'punctuation' ? PRECEDENCE.get(token.text) : undefined;
    if (found === undefined || found.level < level) return left;
    cursor.next();
    const right = parseBinary(cursor, found.level + 1, parts);
    left = {kind: 'binary', operator: found.operator, left, right, place: spanning(left.place, right.place)};
  }
}

function spanning(first: Place, last: Place): Place {
  return {column: first.column, length: Math.max(1, last.column + last.length - first.column)};
}

function parseUnary(cursor: Cursor, parts: Parts): Expression {
  const token = cursor.peek();
  if (++parts.count > PART_LIMIT)
    throw new SourceError(
      cursor.place,
      `This expression has more than ${PART_LIMIT} parts.`,
      'Split it: give a part of it a name with equ.',
    );
  if (token?.kind === 'punctuation' && isUnary(token.text)) {
    cursor.next();
    const operand = parseUnary(cursor, parts);
    return {kind: 'unary', operator: token.text, operand, place: spanning(token, operand.place)};
  }
  return parsePrimary(cursor, parts);
}

function isUnary(text: string): text is UnaryOperator {
  return text === '-' || text === '+' || text === '~' || text === '!';
}

function parsePrimary(cursor: Cursor, parts: Parts): Expression {
  const {place} = cursor;
  const token = cursor.next();
  if (token === undefined)
    throw new SourceError(place, 'A value is missing here.', 'Write a number, a label or an expression.');
  const at = {column: token.column, length: token.length};
  switch (token.kind) {
    case 'number':
      return {kind: 'number', value: BigInt.asIntN(64, token.value), place: at};
    case 'string':
      return {kind: 'number', value: BigInt.asIntN(64, characterValue(token.text)), place: at};
    case 'name': {
      if (token.text === '$') return {kind: 'here', place: at};
      if (token.text === '$$') return {kind: 'section-start', place: at};
      const register = token.escaped ? undefined : registerByName(token.lower);
      if (register !== undefined) return {kind: 'register', register, place: at};
      if (!token.escaped) refuseForeignWords(token.lower, at);
      return {kind: 'symbol', name: token.text, place: at};
    }
    case 'punctuation': {
      if (token.text !== '(')
        throw new SourceError(
          at,
          `A value was expected before '${token.text}'.`,
          'Write a number, a label or an expression.',
        );
      const inner = parseChoice(cursor, parts);
      const close = cursor.place;
      cursor.expect(')', 'Every ( needs a ).');
      return {...inner, place: spanning(at, close)};
    }
  }
}

/** Words of other assemblers that would read as undefined symbols. */
function refuseForeignWords(word: string, place: Place): void {
  if (word === 'ptr')
    throw new SourceError(place, 'NASM has no PTR.', 'Leave it out: write `word [x]`, not `word ptr [x]`.');
  if (word === 'offset')
    throw new SourceError(place, 'NASM has no OFFSET.', 'Leave it out: a label without brackets is its address.');
  if (word === 'seg' || word === 'wrt')
    throw new SourceError(
      place,
      `${word.toUpperCase()} needs a linker.`,
      'A flat binary has no segments; write the selector as a number.',
    );
}
