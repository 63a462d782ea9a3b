// What the assembler tells a person: where, what is wrong, and what to do about it.

/** A place in the main source. Lines and columns count from 1. */
export interface Span {
  readonly line: number;
  readonly column: number;
  /** Characters; at least 1. */
  readonly length: number;
}

export interface Diagnostic extends Span {
  readonly severity: 'error' | 'warning';
  /** What is wrong, in one sentence. */
  readonly message: string;
  /** What to do about it. */
  readonly advice: string;
  /** The file or macro in which the text stands, when it is not the line itself: `in macro "print", line 4`. */
  readonly within: string | undefined;
}

/** Where a line of text comes from: the line of the main source that caused it, and the way from there. */
export interface Origin {
  /** Line of the main source, from 1. */
  readonly line: number;
  /** Where the text was really written, when that is a macro or an included file. */
  readonly within: string | undefined;
  /** For text that is not the main source: the place that stands for all of it. */
  readonly at: Span | undefined;
}

/** Trouble with the source, on its way to becoming a Diagnostic. `column` is 0-based in the line being read. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
  readonly column: number;
  readonly length: number;
  readonly advice: string;
  constructor(place: {readonly column: number; readonly length: number}, message: string, advice: string) {
    super(message);
    this.column = place.column;
    this.length = place.length;
    this.advice = advice;
  }
}

/** A diagnostic for a place in a line of a known origin. */
export function diagnosticAt(
  origin: Origin,
  place: {readonly column: number; readonly length: number},
  severity: Diagnostic['severity'],
  message: string,
  advice: string,
): Diagnostic {
  const span = origin.at ?? {line: origin.line, column: place.column + 1, length: Math.max(1, place.length)};
  return {...span, severity, message, advice, within: origin.within};
}

/** The diagnostic of a SourceError; anything else is our own mistake and is thrown on. */
export function diagnosticOf(origin: Origin, error: unknown): Diagnostic {
  if (!(error instanceof SourceError)) throw error;
  return diagnosticAt(origin, error, 'error', error.message, error.advice);
}

/** Nobody reads more than so many: a source that has them is no assembler text, or repeats one mistake. */
export const MOST_DIAGNOSTICS = 1000;

/** What stands in place of all the diagnostics that would follow. */
export function tooManyDiagnostics(origin: Origin): Diagnostic {
  const message = `There are more than ${MOST_DIAGNOSTICS} messages; reading ends here.`;
  return diagnosticAt(
    origin,
    {column: 0, length: 1},
    'error',
    message,
    'Put the first ones right, and assemble again.',
  );
}
