// A line of source as tokens. NASM's words: a number starts with a digit, a name with a letter or one of . _ ? @,
// and $ before a name says that it is a name even if it looks like a register.

import {SourceError} from './diagnostics.js';
import {parseNumber, unescape} from './literals.js';

export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'punctuation';
  /** As written; for a name without its $, for a string without its quotes. */
  readonly text: string;
  /** In lower case: keywords, mnemonics and registers ignore case. */
  readonly lower: string;
  /** 0-based. */
  readonly column: number;
  readonly length: number;
  /** For numbers. */
  readonly value: bigint;
  readonly spaceBefore: boolean;
  /** A name written with $: never a register or an instruction. */
  readonly escaped: boolean;
}

const PATTERN = new RegExp(
  [
    /(?<space>\s+)/,
    /(?<comment>;.*)/,
    /(?<string>'[^']*'|"[^"]*"|`(?:\\.|[^`\\])*`)/,
    /(?<number>\$?[0-9][0-9A-Za-z_]*(?:\.[0-9A-Za-z_]+)?)/,
    /(?<name>\$?(?:[A-Za-z_.@]|\?(?=\w))[\w.?@$#~]*|\$\$|\$)/,
    /(?<mark><<<|>>>|<=>|<<|>>|<=|>=|<>|==|!=|&&|\|\||\^\^|\/\/|%%|%\+|[-+*/%&|^~!()[\]{},:=<>?])/,
  ]
    .map(part => part.source)
    .join('|'),
  'y',
);

/** The tokens of one line; comments and white space are gone. Throws SourceError at a character that starts nothing. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let spaceBefore = false;
  PATTERN.lastIndex = 0;
  while (PATTERN.lastIndex < text.length) {
    const column = PATTERN.lastIndex;
    const groups = PATTERN.exec(text)?.groups;
    if (groups === undefined) throw badCharacter(text, column);
    if (groups['comment'] !== undefined) break;
    if (groups['space'] !== undefined) {
      spaceBefore = true;
      continue;
    }
    tokens.push(tokenOf(groups, column, spaceBefore));
    spaceBefore = false;
  }
  return tokens;
}

function tokenOf(groups: Readonly<Record<string, string | undefined>>, column: number, spaceBefore: boolean): Token {
  const common = {column, spaceBefore, value: 0n, escaped: false} as const;
  const {string, number, name, mark} = groups;
  if (name !== undefined) {
    const escaped = name.length > 1 && name.startsWith('$') && name !== '$$';
    const text = escaped ? name.slice(1) : name;
    return {...common, kind: 'name', text, lower: text.toLowerCase(), length: name.length, escaped};
  }
  if (number !== undefined) {
    const value = parseNumber(number, {column, length: number.length});
    return {...common, kind: 'number', text: number, lower: number, length: number.length, value};
  }
  if (string !== undefined) {
    const inner = string.slice(1, -1);
    const text = string.startsWith('`') ? unescape(inner) : inner;
    return {...common, kind: 'string', text, lower: text, length: string.length};
  }
  const text = mark ?? '';
  return {...common, kind: 'punctuation', text, lower: text, length: text.length};
}

function badCharacter(text: string, column: number): SourceError {
  const character = text.charAt(column);
  if ('\'"`'.includes(character)) {
    return new SourceError(
      {column, length: text.length - column},
      'This string has no end.',
      `Close it with another ${character} on the same line.`,
    );
  }
  return new SourceError(
    {column, length: 1},
    `The character ${JSON.stringify(character)} cannot stand here.`,
    'Remove it, or put it into a comment (;) or a string.',
  );
}

/** A token as text again, for macro arguments. */
function sourceOf(token: Token): string {
  if (token.kind === 'string') return quote(token.text);
  return token.escaped ? `$${token.text}` : token.text;
}

function quote(text: string): string {
  if (!text.includes("'")) return `'${text}'`;
  return text.includes('"') ? `\`${text.replaceAll(/[\\`]/g, '\\$&')}\`` : `"${text}"`;
}

/** Tokens as text again, one space where there was any. */
export function textOf(tokens: readonly Token[]): string {
  return tokens.map((token, index) => (index > 0 && token.spaceBefore ? ' ' : '') + sourceOf(token)).join('');
}
