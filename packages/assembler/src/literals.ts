// Numbers and characters as NASM writes them.

import {SourceError} from './diagnostics.js';

interface Place {
  readonly column: number;
  readonly length: number;
}

interface Radix {
  readonly name: string;
  readonly digits: RegExp;
  /** How BigInt spells the radix. */
  readonly prefix: string;
}
const HEX: Radix = {name: 'hexadecimal', digits: /^[0-9a-f]+$/i, prefix: '0x'};
const OCTAL: Radix = {name: 'octal', digits: /^[0-7]+$/, prefix: '0o'};
const BINARY: Radix = {name: 'binary', digits: /^[01]+$/, prefix: '0b'};
const DECIMAL: Radix = {name: 'decimal', digits: /^[0-9]+$/, prefix: ''};

const LETTERS: ReadonlyMap<string, Radix> = new Map([
  ['x', HEX],
  ['h', HEX],
  ['o', OCTAL],
  ['q', OCTAL],
  ['b', BINARY],
  ['y', BINARY],
  ['d', DECIMAL],
  ['t', DECIMAL],
]);

/** 200, 0200, 0x1f, 1fh, $1f, 0b101, 101b, 17o, 17q, with underscores anywhere. Values wrap at 64 bits. */
export function parseNumber(written: string, place: Place): bigint {
  if (written.includes('.')) {
    throw new SourceError(
      place,
      `${written} is a floating-point number.`,
      'Write its bit pattern as an integer: this assembler has no floating-point constants.',
    );
  }
  const text = written.replaceAll('_', '');
  const {digits, radix} = taken(text);
  if (!radix.digits.test(digits)) {
    throw new SourceError(
      place,
      `${written} is not a ${radix.name} number.`,
      'Hexadecimal is 0x1f or 1fh, binary 0b101 or 101b, octal 0o17, decimal 31.',
    );
  }
  return BigInt(radix.prefix + digits);
}

function taken(text: string): {readonly digits: string; readonly radix: Radix} {
  if (text.startsWith('$')) return {digits: text.slice(1), radix: HEX};
  const suffix = LETTERS.get(text.slice(-1).toLowerCase());
  const prefix = text.startsWith('0') ? LETTERS.get(text.charAt(1).toLowerCase()) : undefined;
  // 0bh and 0dh are hexadecimal by their last letter, 0x0b and 0x1d by their second.
  if (suffix === HEX && text.length > 1 && HEX.digits.test(text.slice(0, -1)))
    return {digits: text.slice(0, -1), radix: HEX};
  if (prefix !== undefined && text.length > 2) return {digits: text.slice(2), radix: prefix};
  if (suffix !== undefined && text.length > 1) return {digits: text.slice(0, -1), radix: suffix};
  return {digits: text, radix: DECIMAL};
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['a', '\x07'],
  ['b', '\b'],
  ['f', '\f'],
  ['v', '\v'],
  ['e', '\x1b'],
]);

/** C escapes, which only strings in backquotes have. */
export function unescape(text: string): string {
  return text.replaceAll(/\\(x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{4}|[0-7]{1,3}|.)/g, (_, escape: string) => {
    if (/^x./.test(escape) || /^u./.test(escape)) return String.fromCharCode(parseInt(escape.slice(1), 16));
    if (/^[0-7]/.test(escape)) return String.fromCharCode(parseInt(escape, 8));
    return ESCAPES.get(escape) ?? escape;
  });
}

/** The bytes of a string: UTF-8. */
export function stringBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A character constant: its bytes, the first one lowest. */
export function characterValue(text: string): bigint {
  return stringBytes(text).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
