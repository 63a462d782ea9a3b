// Fields of a YAML map, asked for by name and kind. What is missing, of another kind or unknown becomes a problem with its line.

import {LineCounter, isMap, isScalar, isSeq, parseDocument} from 'yaml';
import type {Node, Pair, YAMLMap} from 'yaml';
import {LIMITS} from './limits.js';
import type {Problem} from './problem.js';

type Item = Pair<unknown, unknown>;

/** Where problems go, and what turns a place in the YAML into a line of the file. */
interface Surroundings {
  readonly problems: Problem[];
  lineAt(offset: number): number;
}

/** Reads YAML that begins at a line of the file; undefined where it is no map. Aliases and tags are not understood. */
export function fieldsOf(text: string, line: number, what: string, problems: Problem[]): Fields | undefined {
  const counter = new LineCounter();
  const document = parseDocument(text, {lineCounter: counter, schema: 'core', merge: false, uniqueKeys: true});
  const lineAt = (offset: number): number => line + counter.linePos(offset).line - 1;
  for (const error of document.errors) {
    const [message = 'The YAML cannot be read.'] = error.message.split('\n');
    const advice = 'Look at the quotes and at the indentation; a text with a colon in it stands in quotes.';
    problems.push({line: lineAt(error.pos[0]), message, advice});
  }
  if (document.errors.length > 0) return undefined;
  if (isMap(document.contents)) return new Fields(document.contents, what, line, {problems, lineAt});
  problems.push({
    line,
    message: `${what} must be a list of names with values.`,
    advice: 'Write lines such as title: …',
  });
  return undefined;
}

export class Fields {
  readonly #items: ReadonlyMap<string, Item>;
  readonly #asked = new Set<string>();
  readonly #what: string;
  readonly #around: Surroundings;
  readonly line: number;

  constructor(map: YAMLMap, what: string, line: number, around: Surroundings) {
    this.#items = new Map(map.items.map(item => [isScalar(item.key) ? String(item.key.value) : '', item]));
    this.#what = what;
    this.#around = around;
    this.line = line;
  }

  has(name: string): boolean {
    return this.#items.has(name);
  }
  get names(): readonly string[] {
    return [...this.#items.keys()];
  }

  problem(line: number, message: string, advice: string): void {
    this.#around.problems.push({line, message, advice});
  }

  /** Of a field; of the map where there is no such field. */
  lineOf(name: string): number {
    const key = this.#items.get(name)?.key;
    return isScalar(key) && key.range !== undefined && key.range !== null
      ? this.#around.lineAt(key.range[0])
      : this.line;
  }

  #value(name: string): Node | undefined {
    this.#asked.add(name);
    const value = this.#items.get(name)?.value;
    return isScalar(value) || isMap(value) || isSeq(value) ? value : undefined;
  }

  /** A text; a number counts as one. */
  text(name: string, longest: number = LIMITS.line): string | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    const plain = isScalar(value) ? value.value : undefined;
    if (isScalar(value) && typeof value.comment === 'string')
      this.problem(
        this.lineOf(name),
        `${name} of ${this.#what} ends at a #, behind which YAML reads a comment.`,
        'Put the text into quotes.',
      );
    if (typeof plain !== 'string' && typeof plain !== 'number' && typeof plain !== 'boolean') {
      this.problem(
        this.lineOf(name),
        `${name} of ${this.#what} must be a text.`,
        `Write ${name}: and the text, in quotes where it has a colon.`,
      );
      return undefined;
    }
    const text = isScalar(value) && typeof plain !== 'string' ? (value.source ?? String(plain)) : String(plain);
    if (text.length <= longest) return text.trimEnd();
    this.problem(this.lineOf(name), `${name} of ${this.#what} is too long.`, `Keep it below ${longest} characters.`);
    return undefined;
  }

  required(name: string, longest: number = LIMITS.line): string {
    const text = this.text(name, longest);
    if (text !== undefined) return text;
    if (!this.has(name)) this.problem(this.line, `${this.#what} has no ${name}.`, `Write ${name}: and what it is.`);
    return '';
  }

  /** A text out of a list. */
  oneOf<T extends string>(name: string, values: readonly T[]): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const found = values.find(value => value === text);
    if (found === undefined)
      this.problem(
        this.lineOf(name),
        `${name} of ${this.#what} cannot be ${quoted(text)}.`,
        `Write one of: ${values.join(', ')}.`,
      );
    return found;
  }

  integer(name: string, from: number, to: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (Number.isInteger(value) && value >= from && value <= to) return value;
    this.problem(
      this.lineOf(name),
      `${name} of ${this.#what} must be a whole number from ${from} to ${to}.`,
      'Correct the number.',
    );
    return undefined;
  }

  texts(name: string, most: number): readonly string[] | undefined {
    const nodes = this.#sequence(name, most);
    return nodes?.flatMap(node => {
      const plain = isScalar(node) ? node.value : undefined;
      if ((typeof plain === 'string' || typeof plain === 'number') && String(plain).length <= LIMITS.line)
        return [String(plain)];
      this.problem(
        this.lineOf(name),
        `${name} of ${this.#what} must hold texts of at most ${LIMITS.line} characters.`,
        'Put a text that has a colon into quotes.',
      );
      return [];
    });
  }

  map(name: string): Fields | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (isMap(value)) return new Fields(value, name, this.lineOf(name), this.#around);
    this.problem(
      this.lineOf(name),
      `${name} of ${this.#what} must be names with values.`,
      `Write ${name}: {name: value}.`,
    );
    return undefined;
  }

  isList(name: string): boolean {
    return isSeq(this.#items.get(name)?.value);
  }

  /** A list of maps; a single map counts as a list of one. */
  maps(name: string, most: number): readonly Fields[] | undefined {
    const value = this.#value(name);
    if (isMap(value)) return [new Fields(value, name, this.lineOf(name), this.#around)];
    return this.#sequence(name, most)?.flatMap(node => {
      if (isMap(node)) return [new Fields(node, name, this.#lineOfNode(node, name), this.#around)];
      this.problem(
        this.lineOf(name),
        `${name} of ${this.#what} must be a list of names with values.`,
        'Begin each with a dash.',
      );
      return [];
    });
  }

  #lineOfNode(node: Node, name: string): number {
    const range = node.range;
    return range === undefined || range === null ? this.lineOf(name) : this.#around.lineAt(range[0]);
  }

  #sequence(name: string, most: number): readonly unknown[] | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (!isSeq(value)) {
      this.problem(this.lineOf(name), `${name} of ${this.#what} must be a list.`, `Write ${name}: [first, second].`);
      return undefined;
    }
    if (value.items.length <= most) return value.items;
    this.problem(this.lineOf(name), `${name} of ${this.#what} has more than ${most} entries.`, 'Shorten the list.');
    return undefined;
  }

  /** Texts by name: switches, registers. */
  dictionary(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.names.map(name => [name, this.required(name)]));
  }

  /** Call at the end: whatever nobody asked for is a problem. */
  done(known: readonly string[]): void {
    for (const name of this.names) {
      if (this.#asked.has(name) || known.includes(name)) continue;
      this.problem(
        this.lineOf(name),
        `${quoted(name)} is nothing that ${this.#what} has.`,
        `There are: ${known.join(', ')}.`,
      );
    }
  }
}

const quoted = (text: string): string => `“${text.slice(0, 60)}”`;
