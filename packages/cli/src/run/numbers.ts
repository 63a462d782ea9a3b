// Numbers as people type them: 4096, 0x1000, 0b101, 1000h; with K, M or G where sizes are meant.

import {usage} from '../terminal/arguments.js';

/** An unsigned number of at most 64 bits. @throws UserError 'usage' that names `what`. */
export function parseBigInt(text: string, what: string): bigint {
  const trimmed = text.trim().replaceAll('_', '');
  const suffixed = /^([0-9a-f]+)h$/i.exec(trimmed)?.[1];
  const literal = suffixed === undefined ? trimmed : `0x${suffixed}`;
  if (!/^(0x[0-9a-f]+|0b[01]+|[0-9]+)$/i.test(literal)) {
    throw usage(`${what}: '${text}' is not a number. Write 4096 or 0x1000.`);
  }
  const value = BigInt(literal);
  if (value >= 1n << 64n) throw usage(`${what}: ${text} does not fit 64 bits.`);
  return value;
}

/** A whole number between `least` and `most`. @throws UserError 'usage' that names `what`. */
export function parseNumber(text: string, what: string, least = 0, most = Number.MAX_SAFE_INTEGER): number {
  const value = parseBigInt(text, what);
  if (value < BigInt(least) || value > BigInt(most))
    throw usage(`${what}: ${text} is not between ${least} and ${most}.`);
  return Number(value);
}

/** A positive number of seconds, fractions allowed. */
export function parseSeconds(text: string, what: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) {
    throw usage(`${what}: '${text}' is not a number of seconds. Write 10 or 0.5.`);
  }
  return value;
}

/** The two halves of `LEFT=RIGHT` (or another separator). @throws UserError 'usage' when there is none. */
export function splitOnce(text: string, separator: string, form: string): readonly [string, string] {
  const at = text.indexOf(separator);
  if (at <= 0 || at === text.length - 1) throw usage(`'${text}' is not of the form ${form}.`);
  return [text.slice(0, at), text.slice(at + 1)];
}
