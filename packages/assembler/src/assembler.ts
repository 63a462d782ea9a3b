// Text to bytes: preprocess once, read every line once, then lay out until nothing moves any more.

import type {CodeSize} from '@hyperscope/isa';
import {MOST_DIAGNOSTICS, diagnosticAt, diagnosticOf, tooManyDiagnostics, type Diagnostic} from './diagnostics.js';
import {EncodingCache, Pass} from './layout.js';
import {preprocess, type Include, type LogicalLine} from './preprocessor.js';
import {image, placeSections} from './section.js';
import {parseBody, splitLabel, type Statement} from './statement.js';

export interface AssembleOptions {
  /** Code size before the first `bits`; nasm's flat binaries start in 16-bit code. */
  readonly bits?: CodeSize;
  /** Address of the first byte before an `org`. */
  readonly org?: bigint;
  /** Named in messages about the file as a whole. */
  readonly fileName?: string;
  /** The text of a file that the source includes; undefined when there is none. */
  readonly include?: Include;
}

/** Bytes of the output and the line of the main source that made them. A line may have made several stretches. */
export interface SourceLine {
  /** From 1. */
  readonly line: number;
  readonly address: bigint;
  /** Offset in `bytes`; for space in .bss, where it would be. */
  readonly offset: number;
  readonly length: number;
  readonly bits: CodeSize;
  readonly kind: 'instruction' | 'data' | 'reserved' | 'padding';
  /** The macro or included file in which the text stands, if it is not the line itself. */
  readonly within: string | undefined;
}

export type Assembly =
  | {
      readonly ok: true;
      readonly bytes: Uint8Array;
      /** Address of the first byte. */
      readonly origin: bigint;
      /** By address. */
      readonly lines: readonly SourceLine[];
      /** Labels and equ constants; local labels with the label they belong to: `start.loop`. */
      readonly symbols: ReadonlyMap<string, bigint>;
      readonly warnings: readonly Diagnostic[];
    }
  | {readonly ok: false; readonly diagnostics: readonly Diagnostic[]};

/** Passes that a program may take to settle. Most take two to five; a chain of jumps that push each other apart, more. */
const PASS_LIMIT = 1000;

/**
 * Assembles NASM syntax into a flat binary, byte for byte what `nasm -f bin` gives.
 * Never throws for what the source says: all errors of the file are in the result, by line.
 */
export function assemble(source: string, options: AssembleOptions = {}): Assembly {
  const preprocessed = preprocess(source, options.include ?? (() => undefined));
  const statements: Statement[] = [];
  const found: Diagnostic[] = [...preprocessed.diagnostics];
  if (preprocessed.stopped) return {ok: false, diagnostics: inOrder(found)};
  for (const line of preprocessed.lines) {
    readStatement(line, statements, found);
    if (found.length > MOST_DIAGNOSTICS)
      return {ok: false, diagnostics: inOrder([...found, tooManyDiagnostics(line.origin)])};
  }
  const {pass, unsettled} = layOut(statements, options);
  const diagnostics = inOrder([...found, ...pass.diagnostics, ...unsettled]);
  if (diagnostics.some(({severity}) => severity === 'error')) return {ok: false, diagnostics};
  const sections = [...pass.sections.values()];
  return {
    ok: true,
    bytes: image(sections, pass.origin),
    origin: pass.origin,
    lines: sourceLines(pass),
    symbols: pass.symbols.numbers,
    warnings: diagnostics,
  };
}

/** A line whose body cannot be read still defines its label, so that uses of the label are not reported too. */
function readStatement(line: LogicalLine, statements: Statement[], found: Diagnostic[]): void {
  const {tokens, origin} = line;
  const {label, rest} = splitLabel(tokens);
  try {
    statements.push({origin, label, body: parseBody(tokens, rest, label)});
  } catch (error) {
    found.push(diagnosticOf(origin, error));
    if (label !== undefined) statements.push({origin, label, body: {kind: 'nothing'}});
  }
}

function layOut(
  statements: readonly Statement[],
  options: AssembleOptions,
): {readonly pass: Pass; readonly unsettled: readonly Diagnostic[]} {
  const cache = new EncodingCache();
  const bits = options.bits ?? 16;
  const start = originOf(statements) ?? options.org ?? 0n;
  let pass: Pass | undefined;
  for (let number = 1; number <= PASS_LIMIT; number++) {
    pass = new Pass({bits, origin: pass?.origin ?? start, before: pass, cache});
    pass.run(statements);
    if (pass.settled) return {pass, unsettled: []};
  }
  const name = options.fileName ?? 'the source';
  const origin = {line: 1, within: undefined, at: undefined};
  const unsettled = diagnosticAt(
    origin,
    {column: 0, length: 1},
    'error',
    `The labels of ${name} do not settle: each pass moves them again.`,
    'Look for a times or equ that depends on a label behind it.',
  );
  return {pass: pass ?? new Pass({bits, origin: 0n, before: undefined, cache}), unsettled: [unsettled]};
}

/** The org of the source: it holds for the whole file, wherever it stands, so the first pass should know it. */
function originOf(statements: readonly Statement[]): bigint | undefined {
  const org = statements.find(({body}) => body.kind === 'org')?.body;
  return org?.kind === 'org' && org.value.kind === 'number' ? BigInt.asUintN(64, org.value.value) : undefined;
}

/** Each once, by place. */
function inOrder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return unique(diagnostics).sort((a, b) => a.line - b.line || a.column - b.column);
}

/** A line inside %rep or times may report the same thing more than once. */
function unique(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Map<string, Diagnostic>();
  for (const diagnostic of diagnostics) {
    const key = `${diagnostic.line}:${diagnostic.column}:${diagnostic.message}`;
    if (!seen.has(key)) seen.set(key, diagnostic);
  }
  return [...seen.values()];
}

function sourceLines(pass: Pass): readonly SourceLine[] {
  const placements = placeSections([...pass.sections.values()], pass.origin);
  const lines = pass.placed.map(({origin, section, offset, length, bits, kind}) => ({
    line: origin.line,
    address: section.start + BigInt(offset),
    offset: (placements.get(section.name)?.offset ?? 0) + offset,
    length,
    bits,
    kind,
    within: origin.within,
  }));
  return lines.sort((a, b) => a.offset - b.offset);
}
