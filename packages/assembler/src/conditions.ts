// %if and its family: which lines are read at all.

import {SourceError} from './diagnostics.js';
import {tokenize, textOf, type Token} from './lexer.js';
import {splitArguments} from './macros.js';

/** What a condition may ask about. */
export interface ConditionContext {
  isDefined(name: string): boolean;
  isMacro(name: string): boolean;
  expand(tokens: readonly Token[]): readonly Token[];
  evaluate(tokens: readonly Token[]): bigint;
}

const FORM = /^(?:el)?if(n?)(def|macro|idni|idn|num|id|str|empty|token|ctx|env|)$/;

/** Whether a directive (without its %) opens or continues a condition: if, ifdef, elifndef. */
export function isCondition(directive: string): boolean {
  return FORM.test(directive);
}

/** Decides a condition: `directive` is `ifdef`, `text` what stands behind it. */
export function holds(directive: string, text: string, context: ConditionContext): boolean {
  const [, negation = '', kind = ''] = FORM.exec(directive) ?? [];
  const answer = decide(kind, text, context);
  return negation === 'n' ? !answer : answer;
}

function decide(kind: string, text: string, context: ConditionContext): boolean {
  const expanded = (): readonly Token[] => context.expand(tokenize(text));
  switch (kind) {
    case '':
      return context.evaluate(expanded()) !== 0n;
    case 'def':
      return tokenize(text).some(token => context.isDefined(token.text));
    case 'macro':
      return context.isMacro(text.trim().split(/\s/)[0] ?? '');
    case 'idn':
      return compared(expanded(), text => text);
    case 'idni':
      return compared(expanded(), text => text.toLowerCase());
    case 'num':
      return only(expanded(), token => token.kind === 'number');
    case 'id':
      return only(expanded(), token => token.kind === 'name');
    case 'str':
      return only(expanded(), token => token.kind === 'string');
    case 'empty':
      return expanded().length === 0;
    case 'token':
      return expanded().length === 1;
    default:
      throw new SourceError(
        {column: 0, length: text.length},
        `%if${kind} is not supported.`,
        'Use %if, %ifdef, %ifidn, %ifmacro, %ifnum, %ifid, %ifstr or %ifempty.',
      );
  }
}

function only(tokens: readonly Token[], matches: (token: Token) => boolean): boolean {
  const signed = tokens.length === 2 && tokens[0]?.text === '-' ? tokens.slice(1) : tokens;
  return signed.length === 1 && signed.every(matches);
}

function compared(tokens: readonly Token[], normal: (text: string) => string): boolean {
  const [left = '', right = ''] = splitArguments(textOf(tokens));
  return normal(left) === normal(right);
}
