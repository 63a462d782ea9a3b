// A place in the tokens of a line, for parsers that read from left to right.

import {SourceError} from './diagnostics.js';
import type {Token} from './lexer.js';

export class Cursor {
  readonly tokens: readonly Token[];
  private position: number;
  constructor(tokens: readonly Token[], position = 0) {
    this.tokens = tokens;
    this.position = position;
  }

  peek(ahead = 0): Token | undefined {
    return this.tokens[this.position + ahead];
  }

  next(): Token | undefined {
    const token = this.tokens[this.position];
    this.position++;
    return token;
  }

  get index(): number {
    return this.position;
  }

  /** Whether the next token is this punctuation. */
  at(mark: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token?.kind === 'punctuation' && token.text === mark;
  }

  /** Steps over this punctuation if it is next. */
  skip(mark: string): boolean {
    if (!this.at(mark)) return false;
    this.position++;
    return true;
  }

  /** The next token's word in lower case, if it can be a keyword. */
  word(ahead = 0): string | undefined {
    const token = this.peek(ahead);
    return token?.kind === 'name' && !token.escaped ? token.lower : undefined;
  }

  /** Where an error at this place is shown: the next token, or just behind the last one. */
  get place(): {readonly column: number; readonly length: number} {
    const token = this.peek();
    if (token !== undefined) return token;
    const last = this.tokens.at(-1);
    return last === undefined ? {column: 0, length: 1} : {column: last.column + last.length, length: 1};
  }

  expect(mark: string, advice: string): void {
    if (!this.skip(mark)) throw new SourceError(this.place, `Expected '${mark}' here.`, advice);
  }

  /** Throws unless the line ends here. */
  end(): void {
    const token = this.peek();
    if (token === undefined) return;
    throw new SourceError(
      token,
      `Unexpected '${token.text}' after the end of the statement.`,
      'Put a comma between operands, an operator between numbers, or a ; before a comment.',
    );
  }
}
