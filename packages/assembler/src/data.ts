// Data directives: db, dw, dd, dq and the res family.

import type {Cursor} from './cursor.js';
import {SourceError} from './diagnostics.js';
import {parseExpression, type Expression, type Place} from './expression.js';
import {stringBytes} from './literals.js';
import type {Body} from './statement.js';

export type DataItem =
  | {readonly kind: 'text'; readonly bytes: Uint8Array}
  | {readonly kind: 'value'; readonly value: Expression}
  /** `?`: space without a value. */
  | {readonly kind: 'uninitialized'; readonly place: Place};

/** db, dw, dd or dq, with its items. */
export function parseData(cursor: Cursor, unit: 1 | 2 | 4 | 8): Body {
  const start = cursor.place;
  cursor.next();
  const items: DataItem[] = [];
  do {
    // nasm takes a comma at the end of a list.
    if (items.length > 0 && cursor.peek() === undefined) break;
    items.push(parseItem(cursor));
  } while (cursor.skip(','));
  return {kind: 'data', unit, items, place: {column: start.column, length: start.length}};
}

function parseItem(cursor: Cursor): DataItem {
  const token = cursor.peek();
  const {place} = cursor;
  if (cursor.skip('?')) return {kind: 'uninitialized', place};
  const alone = cursor.peek(1) === undefined || cursor.at(',', 1);
  if (token?.kind === 'string' && alone) {
    cursor.next();
    return {kind: 'text', bytes: stringBytes(token.text)};
  }
  const value = parseExpression(cursor);
  if (cursor.word() === 'dup')
    throw new SourceError(cursor.place, 'dup is not supported.', 'Put times before the directive: times 8 db 0.');
  return {kind: 'value', value};
}

/** resb and its family: space for a number of units. */
export function parseReserve(cursor: Cursor, unit: number): Body {
  const {place} = cursor;
  cursor.next();
  const count = parseExpression(cursor);
  return {kind: 'reserve', unit, count, place: {column: place.column, length: place.length}};
}
