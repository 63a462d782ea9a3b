// What vectors showed, opcode form by opcode form: how many came out right, which was the first that did not, and how
// many were left out by which rule.

import {hexBytes} from '@hyperscope/base';
import {exclusionOf} from './exclusions.js';
import type {Vector} from './vector.js';
import {VectorRunner} from './vector-runner.js';

/** A vector that came out differently, and how. */
export interface WrongVector {
  readonly index: number;
  readonly name: string;
  /** The instruction, hexadecimal. */
  readonly bytes: string;
  readonly hash: string;
  readonly differences: readonly string[];
}

export interface FormReport {
  readonly form: string;
  readonly right: number;
  readonly wrong: number;
  readonly firstWrong: WrongVector | undefined;
  /** How many each rule left out. */
  readonly excluded: Readonly<Record<string, number>>;
}

export interface VectorOptions {
  /** At most so many vectors of each form. */
  readonly limit?: number | undefined;
  /** Hashes that the suite's keepers took back, hexadecimal. */
  readonly revoked?: ReadonlySet<string> | undefined;
}

/** The reason behind the rule's name `revoked`, which is a list and no rule about instructions. */
export const REVOKED = {id: 'revoked', reason: "In the suite's own revocation list: the capture was bad."} as const;

interface Tally {
  seen: number;
  right: number;
  wrong: number;
  firstWrong: WrongVector | undefined;
  readonly excluded: Map<string, number>;
}

/** Runs vectors and keeps count. One of these serves any number of files. */
export class VectorReport {
  readonly #runner = new VectorRunner();
  readonly #tallies = new Map<string, Tally>();
  readonly #options: VectorOptions;
  #ran = 0;

  constructor(options: VectorOptions = {}) {
    this.#options = options;
  }

  /** How many vectors were executed. */
  get ran(): number {
    return this.#ran;
  }

  /** Whether a form has had as many vectors as it may. */
  isFull(form: string): boolean {
    return (this.#tallies.get(form)?.seen ?? 0) >= (this.#options.limit ?? Infinity);
  }

  /** Runs one vector, unless its form is full. */
  add(vector: Vector): void {
    if (this.isFull(vector.form)) return;
    const tally = this.#tallyOf(vector.form);
    tally.seen++;
    if (this.#options.revoked?.has(vector.hash) === true) {
      exclude(tally, REVOKED.id);
      return;
    }
    this.#ran++;
    const verdict = this.#runner.run(vector);
    if (verdict.kind === 'right') {
      tally.right++;
      return;
    }
    const rule = exclusionOf(vector);
    if (rule !== undefined) {
      exclude(tally, rule.id);
      return;
    }
    tally.wrong++;
    tally.firstWrong ??= {
      index: vector.index,
      name: vector.name,
      bytes: hexBytes(vector.bytes),
      hash: vector.hash,
      differences: verdict.kind === 'wrong' ? verdict.differences : [`not simulated: ${verdict.what}`],
    };
  }

  /** A row for each form, in the order of their names. */
  get forms(): readonly FormReport[] {
    return [...this.#tallies]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([form, {right, wrong, firstWrong, excluded}]) => ({
        form,
        right,
        wrong,
        firstWrong,
        excluded: Object.fromEntries(excluded),
      }));
  }

  #tallyOf(form: string): Tally {
    const known = this.#tallies.get(form);
    if (known !== undefined) return known;
    const tally: Tally = {seen: 0, right: 0, wrong: 0, firstWrong: undefined, excluded: new Map()};
    this.#tallies.set(form, tally);
    return tally;
  }
}

function exclude(tally: Tally, rule: string): void {
  tally.excluded.set(rule, (tally.excluded.get(rule) ?? 0) + 1);
}
