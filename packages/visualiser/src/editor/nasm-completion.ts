// What could be written at the cursor: an instruction or a directive where one may begin, registers and labels behind it.

import type {Completion, CompletionContext, CompletionResult} from '@codemirror/autocomplete';
import {DATA_WORDS, DIRECTIVES, OPERAND_WORDS, PREFIXES, type KnownWords} from './nasm-words.js';

const WORD = /[%\w.?@$]+$/;
const LABEL = /^[ \t]*([A-Za-z_.?@][\w.?@$#~]*)(?::|[ \t]+(?:equ|d[bwdq]|res[bwdq])\b)/gim;
const MACRO = /^[ \t]*%(?:i?macro|i?define|x?define|i?assign)[ \t]+([A-Za-z_.?@][\w.?@$#~]*)/gim;
const PREPROCESSOR = [
  '%define',
  '%macro',
  '%endmacro',
  '%if',
  '%else',
  '%endif',
  '%ifdef',
  '%rep',
  '%endrep',
  '%assign',
];

/** The completions for a text with the cursor at `position`; undefined in comments, strings and numbers. */
export function completionsAt(text: string, position: number, words: KnownWords): CompletionResult | undefined {
  const line = text.slice(text.lastIndexOf('\n', position - 1) + 1, position);
  const code = line.replaceAll(/'[^']*'|"[^"]*"|`[^`]*`/g, quoted => ' '.repeat(quoted.length));
  if (/[;'"`]/.test(code)) return undefined;
  const typed = WORD.exec(code)?.[0] ?? '';
  if (/^\$?\d/.test(typed)) return undefined;
  const before = code.slice(0, code.length - typed.length).trim();
  const options = startsStatement(before) ? statements(text, words) : operands(text, words);
  return {from: position - typed.length, options, validFor: /^[%\w.?@$]*$/};
}

/** The same as a source of CodeMirror's; without a word it waits to be asked (Ctrl-Space). */
export function nasmCompletion(words: KnownWords): (context: CompletionContext) => CompletionResult | null {
  return context => {
    const found = completionsAt(context.state.doc.toString(), context.pos, words);
    return found === undefined || (found.from === context.pos && !context.explicit) ? null : found;
  };
}

/** Whether nothing stands before that would want operands: only a label, or prefixes. */
function startsStatement(before: string): boolean {
  const rest = before.replace(/^[\w.?@$#~]+\s*:/, '').trim();
  return (
    rest === '' || rest.split(/\s+/).every(word => PREFIXES.has(word.toLowerCase())) || /^times\s+\S+$/i.test(rest)
  );
}

function statements(text: string, words: KnownWords): readonly Completion[] {
  return [
    ...[...words.mnemonics].map(([label, detail]) => ({label, detail, type: 'keyword'})),
    ...[...DIRECTIVES, ...DATA_WORDS, ...PREFIXES, ...PREPROCESSOR].map(label => ({label, type: 'directive'})),
    ...named(text, MACRO, 'macro'),
  ];
}

function operands(text: string, words: KnownWords): readonly Completion[] {
  return [
    ...named(text, LABEL, 'label'),
    ...named(text, MACRO, 'macro'),
    ...[...words.registers].map(label => ({label, type: 'register', detail: 'register'})),
    ...[...OPERAND_WORDS].map(label => ({label, type: 'size'})),
  ];
}

function named(text: string, pattern: RegExp, type: 'label' | 'macro'): readonly Completion[] {
  const names = new Set([...text.matchAll(pattern)].map(match => match[1] ?? ''));
  return [...names].map(label => ({label, type, detail: type, boost: 1}));
}
