// NASM as an editor colours it: a token at a time. Where in the line a word stands decides what it is: `and` begins an
// instruction, and after one it would be a label.

import {StreamLanguage, type StreamParser, type StringStream} from '@codemirror/language';
import {tags} from '@lezer/highlight';
import {DATA_WORDS, DIRECTIVES, OPERAND_WORDS, PREFIXES, type KnownWords} from './nasm-words.js';

interface LineState {
  /** 'times': what is repeated is still to come, behind an expression. */
  place: 'start' | 'times' | 'operands';
}

const TOKENS = {
  comment: tags.lineComment,
  string: tags.string,
  unclosed: tags.invalid,
  number: tags.number,
  directive: tags.meta,
  mnemonic: tags.keyword,
  register: tags.atom,
  size: tags.typeName,
  label: tags.labelName,
  symbol: tags.variableName,
  operator: tags.operator,
  unknown: tags.invalid,
} as const;
export type NasmToken = keyof typeof TOKENS;

const PATTERNS: readonly (readonly [RegExp, NasmToken])[] = [
  [/^;.*/, 'comment'],
  [/^(?:'[^']*'|"[^"]*"|`(?:\\.|[^`\\])*`)/, 'string'],
  [/^['"`].*/, 'unclosed'],
  [/^\$?[0-9][\w.]*/, 'number'],
  [/^%(?:%\w+|\d+|\$+\w+)/, 'symbol'],
];
const NAME = /^\$?(?:[A-Za-z_.@]|\?(?=\w))[\w.?@$#~]*|^\${1,2}/;
const OPERATOR = /^[-+*/%&|^~!()[\]{},:=<>?\\]/;

/** The language for an assembler that knows these words. */
export function nasmLanguage(words: KnownWords): StreamLanguage<LineState> {
  return StreamLanguage.define(nasmParser(words));
}

/** Reads one token after the other; undefined is white space. */
export function nasmParser(words: KnownWords): StreamParser<LineState> {
  return {
    name: 'nasm',
    startState: () => ({place: 'start'}),
    copyState: ({place}) => ({place}),
    token: (stream, state) => tokenAt(stream, state, words) ?? null,
    tokenTable: TOKENS,
    languageData: {commentTokens: {line: ';'}, closeBrackets: {brackets: ['[', '(', '"', "'"]}},
  };
}

function tokenAt(stream: StringStream, state: LineState, words: KnownWords): NasmToken | undefined {
  if (stream.sol()) state.place = 'start';
  if (stream.eatSpace()) return undefined;
  for (const [pattern, token] of PATTERNS) if (stream.match(pattern) !== null) return token;
  if (state.place === 'start' && stream.match(/^%[A-Za-z]\w*/) !== null) {
    state.place = 'operands';
    return 'directive';
  }
  if (stream.match(NAME) !== null) return nameToken(stream, state, words);
  if (stream.match(OPERATOR) !== null) return 'operator';
  stream.next();
  return 'unknown';
}

function nameToken(stream: StringStream, state: LineState, words: KnownWords): NasmToken {
  const word = stream.current().toLowerCase();
  if (state.place === 'operands') return operandToken(word, words);
  const isLabel = stream.match(/^\s*:/, false) !== null && !words.registers.has(word);
  if (state.place === 'start' && isLabel) return 'label';
  if (PREFIXES.has(word)) return 'mnemonic';
  if (words.mnemonics.has(word)) {
    state.place = 'operands';
    return 'mnemonic';
  }
  if (DIRECTIVES.has(word) || DATA_WORDS.has(word)) {
    state.place = word === 'times' ? 'times' : 'operands';
    return 'directive';
  }
  if (state.place === 'times' || words.registers.has(word)) return operandToken(word, words);
  return 'label';
}

function operandToken(word: string, words: KnownWords): NasmToken {
  if (words.registers.has(word)) return 'register';
  return OPERAND_WORDS.has(word) ? 'size' : 'symbol';
}
