// Multi-line macros: %macro with a range of parameters, defaults, %%local labels and %rotate.

import {SourceError, type Origin} from './diagnostics.js';

/** A line of text and where it comes from. */
export interface RawLine {
  readonly text: string;
  readonly origin: Origin;
}

export interface Macro {
  readonly name: string;
  readonly low: number;
  /** Infinity for `*`. */
  readonly high: number;
  /** `+`: the last parameter takes the rest of the line, commas and all. */
  readonly greedy: boolean;
  readonly defaults: readonly string[];
  readonly body: readonly RawLine[];
}

/** One expansion of a macro. */
export interface Invocation {
  readonly macro: Macro;
  readonly args: readonly string[];
  /** %rotate: how far the parameters have moved to the left. */
  rotation: number;
  /** Makes %%labels unlike those of any other expansion. */
  readonly unique: number;
}

const HEADER = /^(\S+)\s+(\d+)(?:-(\d+|\*))?(\+)?(?:\.nolist)?\s*(.*)$/;

/** Reads what stands behind %macro: `name 1-3 default, default`. */
export function parseHeader(text: string, body: readonly RawLine[]): Macro {
  const parts = HEADER.exec(text.trim());
  if (parts === null)
    throw new SourceError(
      {column: 0, length: text.length},
      'A macro needs a name and a number of parameters.',
      'Write: %macro print 1 for one parameter, %macro print 0 for none.',
    );
  const [, name = '', low = '0', high, plus, defaults = ''] = parts;
  return {
    name,
    low: Number(low),
    high: high === undefined ? Number(low) : high === '*' ? Infinity : Number(high),
    greedy: plus !== undefined,
    defaults: splitArguments(defaults),
    body,
  };
}

/** Splits at commas outside strings and { }. Braces keep commas together and disappear. */
export function splitArguments(text: string): readonly string[] {
  if (text.trim() === '') return [];
  const parts: string[] = [];
  let part = '';
  for (const piece of text.match(/'[^']*'|"[^"]*"|`(?:\\.|[^`\\])*`|\{[^{}]*\}|[^'"`{},]+|./g) ?? []) {
    if (piece === ',') {
      parts.push(part);
      part = '';
    } else part += piece;
  }
  return [...parts, part].map(argument => argument.trim().replace(/^\{(.*)\}$/, '$1'));
}

/** The expansion of a macro for these arguments, or undefined when their number does not fit. */
export function invocation(macro: Macro, args: readonly string[], unique: number): Invocation | undefined {
  const given =
    macro.greedy && args.length > macro.high
      ? [...args.slice(0, macro.high - 1), args.slice(macro.high - 1).join(',')]
      : args;
  if (given.length < macro.low || given.length > macro.high) return undefined;
  const missing = macro.defaults.slice(given.length - macro.low);
  return {macro, args: [...given, ...missing], rotation: 0, unique};
}

const PARAMETER = /('[^']*'|"[^"]*"|`(?:\\.|[^`\\])*`|;.*)|%%([\w.?@$#~]+)|%\{%([\w.?@$#~]+)\}|%\{(\d+)\}|%(\d+)/g;

/** A line of a macro's body with its parameters filled in. Strings and comments stay as they are. */
export function substitute(text: string, call: Invocation): string {
  if (!text.includes('%')) return text;
  return text.replaceAll(
    PARAMETER,
    (whole, literal?: string, local?: string, braced?: string, inBraces?: string, plain?: string) => {
      if (literal !== undefined) return whole;
      const label = local ?? braced;
      if (label !== undefined) return `..@${call.unique}.${label}`;
      return parameter(Number(inBraces ?? plain), call);
    },
  );
}

function parameter(number: number, {args, rotation}: Invocation): string {
  if (number === 0) return String(args.length);
  if (number > args.length) return '';
  const index = (number - 1 + rotation) % args.length;
  return args[index < 0 ? index + args.length : index] ?? '';
}
