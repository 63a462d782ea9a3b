// Operands as they are written: keywords, brackets, registers and expressions, not yet numbers.

import type {SegmentRegister} from '@hyperscope/isa';
import {registerByName, type NamedRegister} from '@hyperscope/isa';
import type {Cursor} from './cursor.js';
import {SourceError} from './diagnostics.js';
import {parseExpression, type Expression, type Place} from './expression.js';

export type OperandSyntax =
  | {
      readonly kind: 'register';
      readonly register: NamedRegister;
      readonly size: number | undefined;
      readonly place: Place;
    }
  | {
      readonly kind: 'memory';
      readonly size: number | undefined;
      readonly distance: 'near' | 'far' | undefined;
      readonly segment: SegmentRegister | undefined;
      readonly displacementSize: 8 | 16 | 32 | 64 | undefined;
      readonly addressSize: 16 | 32 | 64 | undefined;
      readonly reference: 'relative' | 'absolute' | undefined;
      readonly split: 'allowed' | 'forbidden';
      readonly address: Expression;
      readonly place: Place;
    }
  | {
      readonly kind: 'immediate';
      readonly size: number | undefined;
      readonly strict: boolean;
      readonly distance: 'short' | 'near' | 'far' | undefined;
      readonly value: Expression;
      readonly place: Place;
    }
  | {
      readonly kind: 'far';
      readonly size: number | undefined;
      readonly selector: Expression;
      readonly offset: Expression;
      readonly place: Place;
    };

/** Bits of the size keywords. */
const SIZES: ReadonlyMap<string, number> = new Map([
  ['byte', 8],
  ['word', 16],
  ['dword', 32],
  ['qword', 64],
  ['tword', 80],
  ['oword', 128],
  ['yword', 256],
  ['zword', 512],
]);

interface Keywords {
  size: number | undefined;
  strict: boolean;
  distance: 'short' | 'near' | 'far' | undefined;
}

/** Reads one operand, up to the comma or the end of the line. */
export function parseOperand(cursor: Cursor): OperandSyntax {
  const start = cursor.place.column;
  const keywords = parseKeywords(cursor);
  if (cursor.at('[')) return parseMemory(cursor, keywords, start);
  const {place} = cursor;
  const register = registerAlone(cursor);
  if (register !== undefined) {
    cursor.next();
    if (cursor.at(':') && cursor.at('[', 1)) throw segmentOutside(place, register);
    return {kind: 'register', register, size: keywords.size, place: placeFrom(start, cursor)};
  }
  const value = parseExpression(cursor);
  if (!cursor.skip(':')) return {kind: 'immediate', ...keywords, value, place: placeFrom(start, cursor)};
  const inner = parseKeywords(cursor);
  const offset = parseExpression(cursor);
  if (keywords.distance !== undefined)
    throw new SourceError(
      placeFrom(start, cursor),
      `${keywords.distance} is not written before selector:offset.`,
      'A selector and an offset are a far pointer already: leave the word out.',
    );
  return {kind: 'far', size: keywords.size ?? inner.size, selector: value, offset, place: placeFrom(start, cursor)};
}

function segmentOutside(place: Place, register: NamedRegister): SourceError {
  const name = register.kind === 'segment' ? register.register.toLowerCase() : 'es';
  return new SourceError(
    place,
    'A segment override belongs inside the brackets.',
    `Write [${name}:…] instead of ${name}:[…].`,
  );
}

/** A register that is the whole operand, not the start of an expression. */
function registerAlone(cursor: Cursor): NamedRegister | undefined {
  const word = cursor.word();
  const register = word === undefined ? undefined : registerByName(word);
  if (register === undefined) return undefined;
  const follows = cursor.peek(1);
  return follows === undefined || cursor.at(',', 1) || cursor.at(':', 1) ? register : undefined;
}

function placeFrom(start: number, cursor: Cursor): Place {
  const last = cursor.tokens[cursor.index - 1];
  return {column: start, length: last === undefined ? 1 : Math.max(1, last.column + last.length - start)};
}

function parseKeywords(cursor: Cursor): Keywords {
  const keywords: Keywords = {size: undefined, strict: false, distance: undefined};
  for (;;) {
    const word = cursor.word();
    if (word === undefined) return keywords;
    const size = SIZES.get(word);
    if (size !== undefined) keywords.size = size;
    else if (word === 'strict') keywords.strict = true;
    else if (word === 'short' || word === 'near' || word === 'far') keywords.distance = word;
    else return keywords;
    cursor.next();
  }
}

interface BracketWords {
  segment: SegmentRegister | undefined;
  displacementSize: 8 | 16 | 32 | 64 | undefined;
  addressSize: 16 | 32 | 64 | undefined;
  reference: 'relative' | 'absolute' | undefined;
  split: 'allowed' | 'forbidden';
}

function parseMemory(cursor: Cursor, keywords: Keywords, start: number): OperandSyntax {
  cursor.expect('[', 'Memory operands stand in [ ].');
  const words = parseBracketWords(cursor);
  const address = parseExpression(cursor);
  cursor.expect(']', 'Every [ needs a ].');
  const place = placeFrom(start, cursor);
  if (keywords.distance === 'short')
    throw new SourceError(place, 'A jump through memory is never short.', 'Leave out `short`.');
  return {kind: 'memory', size: keywords.size, distance: keywords.distance, ...words, address, place};
}

const ADDRESS_SIZES: ReadonlyMap<string, 16 | 32 | 64> = new Map([
  ['a16', 16],
  ['a32', 32],
  ['a64', 64],
]);

function parseBracketWords(cursor: Cursor): BracketWords {
  const words: BracketWords = {
    segment: undefined,
    displacementSize: undefined,
    addressSize: undefined,
    reference: undefined,
    split: 'allowed',
  };
  for (;;) {
    const word = cursor.word();
    if (word === undefined) return words;
    if (!takeBracketWord(cursor, word, words)) return words;
  }
}

function takeBracketWord(cursor: Cursor, word: string, words: BracketWords): boolean {
  const register = registerByName(word);
  const size = SIZES.get(word);
  const addressSize = ADDRESS_SIZES.get(word);
  if (register?.kind === 'segment' && cursor.at(':', 1)) {
    words.segment = register.register;
    cursor.next();
  } else if (size === 8 || size === 16 || size === 32 || size === 64) words.displacementSize = size;
  else if (addressSize !== undefined) words.addressSize = addressSize;
  else if (word === 'rel') words.reference = 'relative';
  else if (word === 'abs') words.reference = 'absolute';
  else if (word === 'nosplit') words.split = 'forbidden';
  else return false;
  cursor.next();
  return true;
}
