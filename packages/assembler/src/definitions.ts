// Single-line macros: %define, %xdefine, %assign. Names become other tokens before a line is read.

import {SourceError} from './diagnostics.js';
import {tokenize, type Token} from './lexer.js';

interface Definition {
  readonly name: string;
  /** undefined: the macro takes no argument list. */
  readonly parameters: readonly string[] | undefined;
  readonly body: readonly Token[];
}

const DEPTH_LIMIT = 100;
/** Names replaced, and tokens made, in one line: what macros that double each other may cost. */
const GROWTH_LIMIT = 100_000;

/** What of GROWTH_LIMIT was used. */
interface Growth {
  count: number;
}

/** The single-line macros that are defined at a point of the source. */
export class Definitions {
  private readonly exact = new Map<string, Definition>();
  private readonly anyCase = new Map<string, Definition>();

  get empty(): boolean {
    return this.exact.size === 0 && this.anyCase.size === 0;
  }

  define(definition: Definition, matching: 'exact' | 'any-case'): void {
    if (matching === 'exact') this.exact.set(definition.name, definition);
    else this.anyCase.set(definition.name.toLowerCase(), definition);
  }

  undefine(name: string): void {
    this.exact.delete(name);
    this.anyCase.delete(name.toLowerCase());
  }

  has(name: string): boolean {
    return this.lookup(name) !== undefined;
  }

  private lookup(name: string): Definition | undefined {
    return this.exact.get(name) ?? this.anyCase.get(name.toLowerCase());
  }

  /** The tokens with every macro replaced; `%+` joins its neighbours. Replaced tokens keep the place of the name. */
  expand(tokens: readonly Token[]): readonly Token[] {
    const needed = tokens.some(
      token => (token.kind === 'name' && this.lookup(token.text) !== undefined) || token.text === '%+',
    );
    return needed ? joined(this.replace(tokens, [], {count: 0})) : tokens;
  }

  private replace(tokens: readonly Token[], active: readonly string[], growth: Growth): readonly Token[] {
    const result: Token[] = [];
    for (let index = 0; index < tokens.length; index++) {
      const token = tokens[index];
      if (token === undefined) break;
      const found = token.kind === 'name' && !token.escaped ? this.lookup(token.text) : undefined;
      if (found === undefined || active.includes(found.name)) {
        result.push(token);
        continue;
      }
      if (active.length > DEPTH_LIMIT)
        throw new SourceError(
          token,
          `The macro '${token.text}' is nested too deeply.`,
          'Macros that use each other must end somewhere.',
        );
      const call = callOf(found, tokens, index);
      if (call === undefined) {
        result.push(token);
        continue;
      }
      index = call.last;
      const body = substituted(
        found,
        call.args.map(argument => this.replace(argument, active, growth)),
      );
      const placed = body.map((part, place) => ({
        ...part,
        column: token.column,
        length: token.length,
        spaceBefore: place === 0 ? token.spaceBefore : part.spaceBefore,
      }));
      growth.count += 1 + placed.length;
      if (growth.count > GROWTH_LIMIT)
        throw new SourceError(
          token,
          `The macro '${token.text}' becomes more than ${GROWTH_LIMIT} words.`,
          'Macros that use each other more than once grow with every step: make the chain shorter.',
        );
      for (const part of this.replace(placed, [...active, found.name], growth)) result.push(part);
    }
    return result;
  }
}

interface Call {
  readonly args: readonly (readonly Token[])[];
  /** Index of the call's last token. */
  readonly last: number;
}

/** A macro with parameters is one only when an argument list follows. */
function callOf(definition: Definition, tokens: readonly Token[], index: number): Call | undefined {
  if (definition.parameters === undefined) return {args: [], last: index};
  const open = tokens[index + 1];
  if (open?.kind !== 'punctuation' || open.text !== '(') return undefined;
  const args: Token[][] = [[]];
  let depth = 0;
  for (let place = index + 1; place < tokens.length; place++) {
    const token = tokens[place];
    if (token === undefined) break;
    const mark = token.kind === 'punctuation' ? token.text : '';
    if (mark === '(') depth++;
    if (mark === ')') depth--;
    if (depth === 0) return checked(definition, args, place, open);
    if (mark === ',' && depth === 1) args.push([]);
    else if (place > index + 1) args.at(-1)?.push(token);
  }
  throw new SourceError(open, 'This argument list has no end.', 'Every ( needs a ).');
}

function checked(definition: Definition, args: readonly Token[][], last: number, open: Token): Call {
  const wanted = definition.parameters?.length ?? 0;
  if (wanted === 0 && args.length === 1 && args[0]?.length === 0) return {args: [], last};
  if (args.length === wanted) return {args, last};
  throw new SourceError(
    open,
    `The macro '${definition.name}' takes ${wanted} arguments, not ${args.length}.`,
    'Separate the arguments by commas.',
  );
}

function substituted(definition: Definition, args: readonly (readonly Token[])[]): readonly Token[] {
  const {parameters} = definition;
  if (parameters === undefined || parameters.length === 0) return definition.body;
  return definition.body.flatMap(token => {
    const index = token.kind === 'name' ? parameters.indexOf(token.text) : -1;
    return index < 0 ? [token] : (args[index] ?? []);
  });
}

/** a %+ b is one name. */
function joined(tokens: readonly Token[]): readonly Token[] {
  const result: Token[] = [];
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index];
    const right = tokens[index + 1];
    const left = result.at(-1);
    if (token === undefined) break;
    if (token.text !== '%+' || left === undefined || right === undefined) {
      result.push(token);
      continue;
    }
    result.pop();
    const glued = tokenize(left.text + right.text).map(part => ({...part, column: left.column, length: left.length}));
    result.push(...glued);
    index++;
  }
  return result;
}

/** Reads `NAME(a, b) body` or `NAME body` behind %define. */
export function parseDefinition(tokens: readonly Token[]): Definition {
  const [name, open] = tokens;
  if (name?.kind !== 'name')
    throw new SourceError(name ?? {column: 0, length: 1}, 'The macro has no name.', 'Write: %define NAME value.');
  const hasParameters = open?.text === '(' && open.kind === 'punctuation' && !open.spaceBefore;
  if (!hasParameters) return {name: name.text, parameters: undefined, body: tokens.slice(1)};
  const close = tokens.findIndex(token => token.kind === 'punctuation' && token.text === ')');
  if (close < 0) throw new SourceError(open, 'This parameter list has no end.', 'Every ( needs a ).');
  const parameters = tokens
    .slice(2, close)
    .filter(token => token.kind === 'name')
    .map(token => token.text);
  return {name: name.text, parameters, body: tokens.slice(close + 1)};
}
