// The preprocessor: macros, conditions, repetition and inclusion. Its output is the lines that the assembler reads.
// It runs once, before any address is known, so its conditions are about numbers and never about labels.

import {Definitions, parseDefinition} from './definitions.js';
import {
  MOST_DIAGNOSTICS,
  SourceError,
  diagnosticAt,
  diagnosticOf,
  tooManyDiagnostics,
  type Diagnostic,
  type Origin,
} from './diagnostics.js';
import {Cursor} from './cursor.js';
import {holds, isCondition, type ConditionContext} from './conditions.js';
import {evaluate, scalar, type Scope} from './evaluation.js';
import {parseExpression} from './expression.js';
import {textOf, tokenize, type Token} from './lexer.js';
import {
  invocation,
  parseHeader,
  splitArguments,
  substitute,
  type Invocation,
  type Macro,
  type RawLine,
} from './macros.js';

export interface LogicalLine {
  readonly tokens: readonly Token[];
  readonly origin: Origin;
}

export interface Preprocessed {
  readonly lines: readonly LogicalLine[];
  readonly diagnostics: readonly Diagnostic[];
  /** The last diagnostic says why nothing more was read. */
  readonly stopped: boolean;
}

/** Finds the text of an included file; undefined when there is none. */
export type Include = (path: string) => string | undefined;

const DEPTH_LIMIT = 200;
/** Lines and rounds of %rep that are read, counted each time: what a source that grows by itself may cost. */
const LINE_LIMIT = 500_000;
/** Characters of a macro call's arguments: a macro that doubles its own stops here. */
const ARGUMENT_LIMIT = 100_000;
/** %if within %if. */
const BRANCH_LIMIT = 200;

/** Lines that are being read: a file, a macro's body, one round of %rep. */
interface Frame {
  readonly call: Invocation | undefined;
  readonly depth: number;
  /** %exitrep and %exitmacro: the rest is skipped. */
  left: 'rep' | 'macro' | undefined;
}

interface Branch {
  /** Whether the lines of this branch are read. */
  reading: boolean;
  /** A branch was taken already, so that %elif and %else are not. */
  taken: boolean;
  readonly origin: Origin;
}

const NO_LABELS: Scope = {
  symbol(name, place) {
    throw new SourceError(
      place,
      `'${name}' is not known while macros are expanded.`,
      'Use a name from %define or %assign: labels get their addresses later.',
    );
  },
  here: () => refuseAddress(),
  sectionStart: () => refuseAddress(),
};

function refuseAddress(): never {
  throw new SourceError(
    {column: 0, length: 1},
    '$ and $$ are not known while macros are expanded.',
    'Use times with a computed count instead of %if or %rep.',
  );
}

/** Expands a source text. Never throws for what the source says. */
export function preprocess(source: string, include: Include): Preprocessed {
  const preprocessor = new Preprocessor(include);
  preprocessor.read(
    linesOf(source, line => ({line, within: undefined, at: undefined})),
    {call: undefined, depth: 0, left: undefined},
  );
  return preprocessor;
}

/** Splits a text into lines; a backslash at the end joins a line with the next. */
function linesOf(source: string, originOf: (line: number) => Origin): readonly RawLine[] {
  const lines: RawLine[] = [];
  let pending = '';
  let first = 1;
  for (const [index, text] of source.split(/\r?\n/).entries()) {
    if (pending === '') first = index + 1;
    if (text.endsWith('\\')) {
      pending += `${text.slice(0, -1)} `;
      continue;
    }
    lines.push({text: pending + text, origin: originOf(first)});
    pending = '';
  }
  if (pending !== '') lines.push({text: pending, origin: originOf(first)});
  return lines;
}

class Preprocessor implements Preprocessed {
  readonly lines: LogicalLine[] = [];
  readonly diagnostics: Diagnostic[] = [];
  private readonly definitions = new Definitions();
  private readonly macros = new Map<string, Macro[]>();
  private readonly include: Include;
  private expansions = 0;
  private linesRead = 0;
  stopped = false;

  constructor(include: Include) {
    this.include = include;
  }

  /** Reads lines in order; conditions, macro definitions and repetitions must end within them. */
  read(lines: readonly RawLine[], frame: Frame): void {
    const branches: Branch[] = [];
    for (let index = 0; index < lines.length && frame.left === undefined; index++) {
      const line = lines[index];
      if (line === undefined || !this.mayRead(line.origin)) break;
      try {
        index = this.readLine(lines, index, line, frame, branches);
      } catch (error) {
        this.diagnostics.push(diagnosticOf(line.origin, error));
      }
    }
    const open = branches.at(-1);
    if (open === undefined || frame.left !== undefined || this.stopped) return;
    this.diagnostics.push(
      diagnosticAt(open.origin, {column: 0, length: 1}, 'error', 'This %if has no end.', 'Close it with %endif.'),
    );
  }

  /** Counts one more line; says once, and for good, when it is too many or there were too many errors. */
  private mayRead(origin: Origin): boolean {
    if (this.stopped) return false;
    const tooLong = ++this.linesRead > LINE_LIMIT;
    if (!tooLong && this.diagnostics.length < MOST_DIAGNOSTICS) return true;
    this.stopped = true;
    this.diagnostics.push(
      tooLong
        ? diagnosticAt(
            origin,
            {column: 0, length: 1},
            'error',
            `The source becomes more than ${LINE_LIMIT} lines.`,
            'Check the counts of %rep, and macros that use themselves; for many equal bytes write times.',
          )
        : tooManyDiagnostics(origin),
    );
    return false;
  }

  /** Reads one line, or a whole block that starts here; returns the index of the last line that was read. */
  private readLine(lines: readonly RawLine[], index: number, line: RawLine, frame: Frame, branches: Branch[]): number {
    const directive = /^\s*%([a-z]+)\b\s*(.*)$/i.exec(line.text);
    const name = directive?.[1]?.toLowerCase() ?? '';
    const skipping = branches.some(branch => !branch.reading);
    if (directive !== null && this.branch(name, directive[2] ?? '', line, frame, branches, skipping)) return index;
    if (skipping) return index;
    if (directive === null) {
      this.ordinary({...line, text: filled(line.text, frame)}, frame);
      return index;
    }
    const rest = withoutComment(filled(directive[2] ?? '', frame));
    if (name === 'macro' || name === 'imacro') return this.defineMacro(lines, index, rest, frame);
    if (name === 'rep') return this.repeat(lines, index, line, rest, frame);
    this.directive(name, rest, line, frame);
    return index;
  }

  private branch(
    name: string,
    text: string,
    line: RawLine,
    frame: Frame,
    branches: Branch[],
    skipping: boolean,
  ): boolean {
    const branch = branches.at(-1);
    const decided = (): boolean => holds(name, withoutComment(filled(text, frame)), this.context());
    if (name === 'endif' || name === 'else' || name.startsWith('elif')) {
      if (branch === undefined)
        throw new SourceError(
          {column: 0, length: line.text.length},
          `%${name} has no %if.`,
          'Remove it, or write the %if that it belongs to.',
        );
      if (name === 'endif') branches.pop();
      else {
        const hidden = branches.slice(0, -1).some(outer => !outer.reading);
        branch.reading = !hidden && !branch.taken && (name === 'else' || decided());
        branch.taken ||= branch.reading;
      }
      return true;
    }
    if (!isCondition(name)) return false;
    if (branches.length >= BRANCH_LIMIT)
      throw new SourceError({column: 0, length: line.text.length}, 'This %if is nested too deeply.', 'Use %elif.');
    // A condition that cannot be decided still opens a branch, or every %endif after it would be reported too.
    const opened: Branch = {reading: false, taken: skipping, origin: line.origin};
    branches.push(opened);
    if (skipping) return true;
    opened.taken = true;
    opened.reading = decided();
    opened.taken = opened.reading;
    return true;
  }

  private context(): ConditionContext {
    return {
      isDefined: name => this.definitions.has(name),
      isMacro: name => this.macros.has(name.toLowerCase()),
      expand: tokens => this.definitions.expand(tokens),
      evaluate: tokens => this.evaluate(tokens),
    };
  }

  private evaluate(tokens: readonly Token[]): bigint {
    const cursor = new Cursor(tokens);
    const expression = parseExpression(cursor);
    cursor.end();
    return scalar(evaluate(expression, NO_LABELS), expression.place);
  }

  /** A line for the assembler, or a call of a macro. */
  private ordinary(line: RawLine, frame: Frame): void {
    const tokens = this.definitions.expand(tokenize(line.text));
    if (tokens.length === 0) return;
    if (this.macros.size === 0 || !this.call(tokens, line, frame)) this.lines.push({tokens, origin: line.origin});
  }

  private call(tokens: readonly Token[], line: RawLine, frame: Frame): boolean {
    const [first, second] = tokens;
    const labelled = first !== undefined && this.overloads(first) === undefined && second !== undefined;
    const skip = !labelled ? 0 : second.text === ':' && second.kind === 'punctuation' ? 2 : 1;
    const name = tokens[skip];
    const overloads = name === undefined ? undefined : this.overloads(name);
    if (name === undefined || overloads === undefined) return false;
    if (frame.depth > DEPTH_LIMIT)
      throw new SourceError(
        name,
        `The macro '${name.text}' is nested too deeply.`,
        'Macros that use each other must end somewhere.',
      );
    const given = textOf(tokens.slice(skip + 1));
    if (given.length > ARGUMENT_LIMIT)
      throw new SourceError(
        name,
        `The arguments of the macro '${name.text}' are longer than ${ARGUMENT_LIMIT} characters.`,
        'Macros that use each other must end somewhere.',
      );
    const args = splitArguments(given);
    const unique = ++this.expansions;
    const call = overloads.map(macro => invocation(macro, args, unique)).find(made => made !== undefined);
    if (call === undefined) {
      const counts = overloads.map(({low, high}) => (low === high ? `${low}` : `${low} to ${high}`)).join(' or ');
      throw new SourceError(
        name,
        `The macro '${name.text}' takes ${counts} arguments, not ${args.length}.`,
        'Separate the arguments by commas.',
      );
    }
    if (skip > 0) this.lines.push({tokens: labelTokens(tokens.slice(0, skip)), origin: line.origin});
    const at = line.origin.at ?? {line: line.origin.line, column: name.column + 1, length: name.length};
    const body = call.macro.body.map((inner, index) => ({
      text: inner.text,
      origin: {line: line.origin.line, at, within: `in macro '${call.macro.name}', line ${index + 1} of its body`},
    }));
    this.read(body, {call, depth: frame.depth + 1, left: undefined});
    return true;
  }

  private overloads(token: Token): readonly Macro[] | undefined {
    return token.kind === 'name' ? this.macros.get(token.lower) : undefined;
  }

  private defineMacro(lines: readonly RawLine[], index: number, header: string, frame: Frame): number {
    const end = blockEnd(lines, index, /^\s*%i?macro\b/i, /^\s*%endm(acro)?\b/i);
    if (end === undefined)
      throw new SourceError(
        {column: 0, length: header.length + 6},
        'This %macro has no end.',
        'Close it with %endmacro.',
      );
    const body = lines.slice(index + 1, end).map(line => ({...line, text: filled(line.text, frame)}));
    const macro = parseHeader(header, frame.call === undefined ? lines.slice(index + 1, end) : body);
    const key = macro.name.toLowerCase();
    this.macros.set(key, [macro, ...(this.macros.get(key) ?? []).filter(other => other.low !== macro.low)]);
    return end;
  }

  private repeat(lines: readonly RawLine[], index: number, line: RawLine, count: string, frame: Frame): number {
    const end = blockEnd(lines, index, /^\s*%rep\b/i, /^\s*%endrep\b/i);
    if (end === undefined)
      throw new SourceError({column: 0, length: 4}, 'This %rep has no end.', 'Close it with %endrep.');
    const times = this.evaluate(this.definitions.expand(tokenize(count)));
    const body = lines.slice(index + 1, end);
    for (let round = 0n; round < times && this.mayRead(line.origin); round++) {
      const inner: Frame = {call: frame.call, depth: frame.depth + 1, left: undefined};
      this.read(body, inner);
      if (inner.left === 'macro') frame.left = 'macro';
      if (inner.left !== undefined) break;
    }
    return end;
  }

  private directive(name: string, text: string, line: RawLine, frame: Frame): void {
    const place = {column: line.text.indexOf('%'), length: name.length + 1};
    switch (name) {
      case 'define':
        return this.definitions.define(parseDefinition(tokenize(text)), 'exact');
      case 'idefine':
        return this.definitions.define(parseDefinition(tokenize(text)), 'any-case');
      case 'xdefine':
      case 'ixdefine':
        return this.defineNow(text, name === 'xdefine' ? 'exact' : 'any-case');
      case 'assign':
      case 'iassign':
        return this.assign(text, name === 'assign' ? 'exact' : 'any-case', place);
      case 'strlen':
        return this.stringLength(text, place);
      case 'undef':
        return this.definitions.undefine(text.trim());
      case 'unmacro':
        return void this.macros.delete((text.split(/\s/)[0] ?? '').toLowerCase());
      case 'rotate':
        return this.rotate(text, frame, place);
      case 'exitrep':
        frame.left = 'rep';
        return;
      case 'exitmacro':
        frame.left = 'macro';
        return;
      case 'include':
        return this.includeFile(text, line, frame, place);
      case 'error':
      case 'fatal':
        throw new SourceError(place, unquoted(text), 'The source itself says that it cannot be assembled this way.');
      case 'warning':
        this.diagnostics.push(
          diagnosticAt(line.origin, place, 'warning', unquoted(text), 'The source itself gives this warning.'),
        );
        return;
      // Notes to nasm that change no byte.
      case 'line':
      case 'pragma':
      case 'depend':
      case 'note':
        return;
      default:
        throw new SourceError(
          place,
          `%${name} is not supported.`,
          'Supported: %define, %xdefine, %assign, %undef, %macro, %rep, %if…, %include, %rotate, %strlen, %error, %warning.',
        );
    }
  }

  private defineNow(text: string, matching: 'exact' | 'any-case'): void {
    const definition = parseDefinition(tokenize(text));
    this.definitions.define({...definition, body: this.definitions.expand(definition.body)}, matching);
  }

  private assign(text: string, matching: 'exact' | 'any-case', place: {column: number; length: number}): void {
    const [name, ...rest] = tokenize(text);
    if (name?.kind !== 'name')
      throw new SourceError(place, 'The macro has no name.', 'Write: %assign NAME expression.');
    const value = this.evaluate(this.definitions.expand(rest));
    this.definitions.define({name: name.text, parameters: undefined, body: tokenize(String(value))}, matching);
  }

  private stringLength(text: string, place: {column: number; length: number}): void {
    const [name, ...rest] = tokenize(text);
    const [string] = this.definitions.expand(rest);
    if (name?.kind !== 'name' || string?.kind !== 'string')
      throw new SourceError(place, '%strlen needs a name and a string.', "Write: %strlen NAME 'text'.");
    const length = new TextEncoder().encode(string.text).length;
    this.definitions.define({name: name.text, parameters: undefined, body: tokenize(String(length))}, 'exact');
  }

  private rotate(text: string, frame: Frame, place: {column: number; length: number}): void {
    if (frame.call === undefined)
      throw new SourceError(place, '%rotate works only inside a macro.', 'Move it into a %macro.');
    const {args} = frame.call;
    if (args.length === 0) return;
    const by = Number(this.evaluate(this.definitions.expand(tokenize(text))));
    frame.call.rotation = (((frame.call.rotation + by) % args.length) + args.length) % args.length;
  }

  private includeFile(text: string, line: RawLine, frame: Frame, place: {column: number; length: number}): void {
    const path = unquoted(text);
    const source = this.include(path);
    if (source === undefined)
      throw new SourceError(
        place,
        `The file '${path}' cannot be included.`,
        'Check its name; it is looked for beside the file that includes it.',
      );
    if (frame.depth > DEPTH_LIMIT)
      throw new SourceError(
        place,
        `'${path}' includes itself.`,
        'Guard it with %ifndef NAME, %define NAME and %endif.',
      );
    const at = line.origin.at ?? {line: line.origin.line, column: place.column + 1, length: place.length};
    const lines = linesOf(source, number => ({line: line.origin.line, at, within: `in ${path}, line ${number}`}));
    this.read(lines, {call: undefined, depth: frame.depth + 1, left: undefined});
  }
}

function filled(text: string, frame: Frame): string {
  return frame.call === undefined ? text : substitute(text, frame.call);
}

/** The index of the line that closes a block which line `start` opened. */
function blockEnd(lines: readonly RawLine[], start: number, opens: RegExp, closes: RegExp): number | undefined {
  let depth = 0;
  for (let index = start; index < lines.length; index++) {
    const text = lines[index]?.text ?? '';
    if (opens.test(text)) depth++;
    else if (closes.test(text)) depth--;
    if (depth === 0) return index;
  }
  return undefined;
}

function withoutComment(text: string): string {
  return text.replace(/^((?:[^'"`;]|'[^']*'|"[^"]*"|`(?:\\.|[^`\\])*`)*);.*$/, '$1').trim();
}

function unquoted(text: string): string {
  return text.trim().replace(/^(['"`])(.*)\1$/, '$2');
}

/** A label before a macro call stands on a line of its own, with the colon that this needs. */
function labelTokens(tokens: readonly Token[]): readonly Token[] {
  return tokens.length === 2 ? tokens : [...tokens, ...tokenize(':')];
}
