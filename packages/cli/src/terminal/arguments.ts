// Arguments into options, by one table a command: the same table is what --help prints.

import {parseArgs} from 'node:util';
import {UserError, keysOf} from '@hyperscope/base';

export interface Option {
  /** What stands for the value in the help; undefined for a switch. */
  readonly value: string | undefined;
  readonly short?: string;
  /** May be given several times. */
  readonly repeatable?: 'repeatable';
  readonly help: string;
}

export type OptionTable = Readonly<Record<string, Option>>;

export interface Arguments<Name extends string> {
  readonly positionals: readonly string[];
  /** Whether a switch is on. */
  has(name: Name): boolean;
  /** The value of an option, the last one when it was repeated. */
  value(name: Name): string | undefined;
  /** All values of a repeatable option, in order. */
  values(name: Name): readonly string[];
}

/** What the user typed wrong: exit status 2. */
export const usage = (message: string): UserError => new UserError('usage', message);

/**
 * Reads `args` by `table`.
 * @throws UserError 'usage' for options that do not exist (with the nearest that does), lack a value, or are repeated.
 */
export function parseArguments<Name extends string>(
  table: Readonly<Record<Name, Option>>,
  args: readonly string[],
): Arguments<Name> {
  const names = keysOf<Name>(table);
  const options = Object.fromEntries(
    names.map(name => {
      const {value, short} = table[name];
      const type = value === undefined ? ('boolean' as const) : ('string' as const);
      return [name, {type, multiple: true, ...(short === undefined ? {} : {short})}];
    }),
  );
  const {tokens, positionals} = parseArgs({
    args: [...args],
    options,
    tokens: true,
    strict: false,
    allowPositionals: true,
  });
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const name = names.find(known => known === token.name);
    if (name === undefined) throw usage(unknownOption(token.rawName, names));
    given.set(name, [...(given.get(name) ?? []), checkValue(token.rawName, table[name], token.value, given.has(name))]);
  }
  return {
    positionals,
    has: name => given.has(name),
    value: name => given.get(name)?.at(-1),
    values: name => given.get(name) ?? [],
  };
}

function checkValue(rawName: string, option: Option, value: string | undefined, again: boolean): string {
  if (option.value === undefined && value !== undefined) throw usage(`${rawName} takes no value.`);
  if (option.value !== undefined && value === undefined)
    throw usage(`${rawName} needs a value: ${rawName} ${option.value}`);
  if (again && option.value !== undefined && option.repeatable === undefined) throw usage(`${rawName} is given twice.`);
  return value ?? '';
}

function unknownOption(rawName: string, names: readonly string[]): string {
  const nearest = closest(rawName.replace(/^-+/, ''), names);
  return `There is no option ${rawName}.${nearest === undefined ? '' : ` Did you mean --${nearest}?`}`;
}

/** The candidate most like `word`; undefined when none is near. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map(candidate => ({candidate, distance: distance(word, candidate)}))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  if (best === undefined || best.distance > Math.max(1, Math.floor(best.candidate.length / 3))) return undefined;
  return best.candidate;
}

/** Levenshtein's distance: how many letters to insert, delete or replace. */
function distance(a: string, b: string): number {
  let row = Array.from({length: b.length + 1}, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
