// Names and what they stand for in one pass, with what the pass before knew for names that are used before they appear.

import {editDistance} from '@hyperscope/isa';
import {SourceError} from './diagnostics.js';
import type {Value} from './evaluation.js';
import type {Place} from './expression.js';
import {orList} from './encode-advice.js';

export class Symbols {
  private readonly values = new Map<string, {readonly value: Value; readonly line: number}>();
  private readonly before: Symbols | undefined;
  /** The last label that is not local: what `.name` belongs to. */
  private scope = '';

  constructor(before: Symbols | undefined) {
    this.before = before;
  }

  /** `.loop` belongs to the label above it; `..@name` belongs to nobody. */
  private fullName(name: string): string {
    return name.startsWith('.') && !name.startsWith('..') ? this.scope + name : name;
  }

  define(name: string, value: Value, line: number, place: Place): void {
    const full = this.fullName(name);
    const earlier = this.values.get(full);
    if (earlier !== undefined) {
      throw new SourceError(
        place,
        `'${full}' is already defined on line ${earlier.line}.`,
        'Give one of them another name; a name that starts with a dot is local to the label above it.',
      );
    }
    if (!name.startsWith('.')) this.scope = name;
    this.values.set(full, {value, line});
  }

  /** What a name stands for, or undefined when no pass has met it. */
  lookup(name: string): Value | undefined {
    const full = this.fullName(name);
    return (this.values.get(full) ?? this.before?.values.get(full))?.value;
  }

  undefinedError(name: string, place: Place): SourceError {
    const full = this.fullName(name);
    const near = [...this.values.keys()]
      .filter(known => editDistance(known.toLowerCase(), full.toLowerCase()) <= 2)
      .slice(0, 3);
    const advice =
      near.length > 0
        ? `Did you mean ${orList(near)}?`
        : 'Define it: as a label with a colon, with equ, or with %define.';
    return new SourceError(place, `'${full}' is not defined.`, advice);
  }

  /** Whether the pass before had the same names with the same values. */
  get settled(): boolean {
    const {before} = this;
    if (before === undefined || before.values.size !== this.values.size) return false;
    for (const [name, {value}] of this.values) {
      if (!sameValue(value, before.values.get(name)?.value)) return false;
    }
    return true;
  }

  /** All names with their numbers. */
  get numbers(): ReadonlyMap<string, bigint> {
    return new Map([...this.values].map(([name, {value}]) => [name, value.number]));
  }
}

function sameValue(a: Value, b: Value | undefined): boolean {
  return b !== undefined && a.number === b.number && a.forward === b.forward && a.sections.length === b.sections.length;
}
