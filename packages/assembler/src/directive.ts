// Directives: bits, org, section, default, align and the few that mean nothing in a flat binary.

import {assertUnreachable} from '@hyperscope/base';
import type {Cursor} from './cursor.js';
import {SourceError} from './diagnostics.js';
import {parseExpression, type Expression, type Place} from './expression.js';
import type {Body} from './statement.js';

export type Directive =
  | {readonly kind: 'bits'; readonly bits: 16 | 32 | 64}
  | {readonly kind: 'org'; readonly value: Expression; readonly place: Place}
  | {readonly kind: 'default'; readonly reference: 'relative' | 'absolute'}
  | {
      readonly kind: 'section';
      readonly name: string;
      readonly alignment: Expression | undefined;
      readonly reserved: boolean;
      readonly place: Place;
    }
  | {readonly kind: 'align'; readonly boundary: Expression; readonly fill: Body | undefined; readonly place: Place}
  | {readonly kind: 'ignored'};

const NAMES = [
  'bits',
  'use16',
  'use32',
  'use64',
  'org',
  'default',
  'section',
  'segment',
  'align',
  'alignb',
  'global',
  'extern',
  'cpu',
  'static',
] as const;
type Name = (typeof NAMES)[number];

export const directiveNames: ReadonlySet<string> = new Set(NAMES);

/** Reads a directive; `parseFill` reads what `align` fills with. */
export function parseDirective(cursor: Cursor, parseFill: (cursor: Cursor) => Body): Directive {
  const {place} = cursor;
  const word = cursor.word();
  const name = NAMES.find(candidate => candidate === word);
  cursor.next();
  if (name === undefined)
    throw new SourceError(place, 'This is not a directive.', 'Write bits, org, section, default or align.');
  return directiveOf(name, cursor, {column: place.column, length: place.length}, parseFill);
}

function directiveOf(name: Name, cursor: Cursor, place: Place, parseFill: (cursor: Cursor) => Body): Directive {
  switch (name) {
    case 'bits':
      return {kind: 'bits', bits: parseBits(cursor)};
    case 'use16':
      return {kind: 'bits', bits: 16};
    case 'use32':
      return {kind: 'bits', bits: 32};
    case 'use64':
      return {kind: 'bits', bits: 64};
    case 'org':
      return {kind: 'org', value: parseExpression(cursor), place};
    case 'default':
      return {kind: 'default', reference: parseReference(cursor)};
    case 'section':
    case 'segment':
      return parseSection(cursor, place);
    case 'align':
      return parseAlign(cursor, place, parseFill);
    case 'alignb':
      return {kind: 'align', boundary: parseExpression(cursor), fill: undefined, place};
    case 'extern':
      throw new SourceError(
        place,
        'extern needs a linker, and a flat binary has none.',
        'Put the code into this file, or %include it.',
      );
    // A flat binary has no symbol table, so nothing has to be done for these; cpu only narrows what nasm accepts.
    case 'global':
    case 'static':
    case 'cpu':
      while (cursor.peek() !== undefined) cursor.next();
      return {kind: 'ignored'};
    default:
      return assertUnreachable(name);
  }
}

function parseBits(cursor: Cursor): 16 | 32 | 64 {
  const {place} = cursor;
  const token = cursor.next();
  if (token?.kind === 'number' && token.value === 16n) return 16;
  if (token?.kind === 'number' && token.value === 32n) return 32;
  if (token?.kind === 'number' && token.value === 64n) return 64;
  throw new SourceError(place, 'Code is 16, 32 or 64 bits.', 'Write bits 16, bits 32 or bits 64.');
}

function parseReference(cursor: Cursor): 'relative' | 'absolute' {
  const word = cursor.word();
  const {place} = cursor;
  cursor.next();
  if (word === 'rel') return 'relative';
  if (word === 'abs') return 'absolute';
  throw new SourceError(
    place,
    'default is followed by rel or abs.',
    'Write default rel to address data relative to RIP.',
  );
}

function parseSection(cursor: Cursor, place: Place): Directive {
  const token = cursor.next();
  if (token?.kind !== 'name')
    throw new SourceError(cursor.place, 'The section has no name.', 'Write section .text, .data or .bss.');
  let alignment: Expression | undefined;
  let reserved = token.text === '.bss';
  while (cursor.peek() !== undefined) {
    const word = cursor.word();
    const at = cursor.place;
    cursor.next();
    if (word === 'align' && cursor.skip('=')) alignment = parseExpression(cursor);
    else if (word === 'nobits') reserved = true;
    else if (word === 'progbits') reserved = false;
    else
      throw new SourceError(
        at,
        `The section attribute '${word ?? token.text}' is not supported.`,
        'Only align=, progbits and nobits are; place the section with org and align.',
      );
  }
  return {kind: 'section', name: token.text, alignment, reserved, place};
}

function parseAlign(cursor: Cursor, place: Place, parseFill: (cursor: Cursor) => Body): Directive {
  const boundary = parseExpression(cursor);
  if (!cursor.skip(',')) {
    const nop = {kind: 'data', unit: 1, items: [{kind: 'text', bytes: Uint8Array.of(0x90)}], place} as const;
    return {kind: 'align', boundary, fill: nop, place};
  }
  const fill = parseFill(cursor);
  if (fill.kind !== 'data' && fill.kind !== 'instruction' && fill.kind !== 'reserve') {
    throw new SourceError(
      place,
      'align is filled with data or an instruction.',
      'Write align 8, db 0 or align 8, nop.',
    );
  }
  return {kind: 'align', boundary, fill, place};
}
