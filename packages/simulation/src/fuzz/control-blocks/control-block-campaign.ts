// Fuzzing of control blocks: a valid one, some fields changed, the entry attempted. Whatever is changed, the machine must stand it;
// what the rule table calls broken must be refused, in the way that the manual says; and a refusal must name what was changed.

import {Random} from '../random.js';
import type {Attempt, Change, ControlBlockBench, FieldWidth} from './control-block-bench.js';

export interface ControlBlockFinding {
  readonly number: number;
  readonly guest: string;
  readonly changes: readonly Change<string>[];
  /** What is wrong with what happened. */
  readonly why: string;
  readonly broken: readonly string[];
}

/** Changes of one case, at most. */
const MOST_CHANGES = 4;

export class ControlBlockCampaign<Field extends string> {
  readonly bench: ControlBlockBench<Field>;
  readonly seed: number;
  /** How many attempts ended in which way. */
  readonly endings = new Map<Attempt['seen'], number>();
  /** How often each rule was broken. */
  readonly broken = new Map<string, number>();
  cases = 0;
  findings = 0;

  constructor(bench: ControlBlockBench<Field>, seed: number) {
    this.bench = bench;
    this.seed = seed;
  }

  /** Case `number` of the seed. */
  run(number: number): ControlBlockFinding | undefined {
    const random = new Random(this.seed, number);
    const {bench} = this;
    const guest = random.pick(bench.guests);
    const changes = this.#changes(random, guest);
    this.cases++;
    const finding = this.#judge(guest, changes);
    if (finding === undefined) return undefined;
    this.findings++;
    return {number, guest, changes, ...finding};
  }

  #changes(random: Random, guest: string): readonly Change<Field>[] {
    const count = random.chance(60) ? 1 : 1 + random.below(MOST_CHANGES);
    return Array.from({length: count}, () => {
      const field = this.bench.fields[random.below(this.bench.fields.length)];
      if (field === undefined) throw new RangeError('a control block has fields');
      return {field: field.name, value: this.#value(random, guest, field)};
    });
  }
  /** One bit of it turned round, as often as another value altogether. */
  #value(random: Random, guest: string, {name, bits}: FieldWidth<Field>): bigint {
    if (random.chance(50)) return this.bench.before(guest, name) ^ (1n << BigInt(random.below(bits)));
    return random.value(bits);
  }

  #judge(guest: string, changes: readonly Change<Field>[]): {why: string; broken: readonly string[]} | undefined {
    let attempt: Attempt;
    try {
      attempt = this.bench.attempt(guest, changes);
    } catch (error) {
      return {why: `the simulator broke: ${error instanceof Error ? error.message : String(error)}`, broken: []};
    }
    const {expected, seen, broken} = attempt;
    this.endings.set(seen, (this.endings.get(seen) ?? 0) + 1);
    for (const rule of broken) this.broken.set(rule, (this.broken.get(rule) ?? 0) + 1);
    const isExpected = seen === expected || (seen === 'msr-loading' && expected === 'entered');
    if (!isExpected) return {why: `the manual’s rules say: ${expected}; what happened: ${seen}`, broken};
    if (expected === 'entered' || changes.some(({field}) => attempt.named.some(name => name.includes(field))))
      return undefined;
    return {why: `refused, but no check names a changed field: ${attempt.named.join('; ')}`, broken};
  }
}
