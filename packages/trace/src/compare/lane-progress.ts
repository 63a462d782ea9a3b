// A lane of a comparison along the guest's own progress: what a column of its picture shows, and how far it was at an instruction.

import type {Actor} from '../record-format.js';
import type {RunRecord} from '../record/run-record.js';
import type {Moment} from '../session-view.js';
import {exitsOf} from './lane-exits.js';
import type {Lane, LaneExit} from './lane.js';

/** A reason why the guest was left, with what was told of the first time. */
export interface LaneReason extends LaneExit {
  /** What the guest did and why that left it, in sentences. */
  readonly words: readonly string[];
  /** The instruction of the reference by which it happened for the first time; undefined where the reference never came as far. */
  readonly firstAt: number | undefined;
}

/** What a view shows of a lane as a whole: the comparison, without what only the worker needs. */
export interface LaneSummary extends Omit<Lane, 'comparison' | 'exits' | 'states'> {
  /** The most frequent first. */
  readonly exits: readonly LaneReason[];
  /** The instruction of the reference at which the lane goes wrong; undefined where `wrongStep` is. */
  readonly wrongAt: number | undefined;
}

/** A lane in columns: each stands for as many of the reference's instructions as any other. */
export interface LaneStrip {
  /** Whether the lane's guest ran its kernel (0), its program (1), or nothing of it is known there (2: real KVM). */
  readonly runs: Uint8Array;
  /** How often the guest was left within the column. */
  readonly exits: Uint32Array;
}

/** A lane at an instruction of the reference. */
export interface LaneStanding {
  /** State of the lane's record. */
  readonly state: number;
  /** Undefined where nobody counted: on real KVM. */
  readonly cycle: number | undefined;
  /** Exits so far. */
  readonly exits: number;
  /** Changes of who has the processor, so far. */
  readonly switches: number;
}

/** The same, with what a view shows of the machine there. */
export interface LaneMoment extends LaneStanding {
  readonly who: Actor;
  /** The ring that the processor is in. */
  readonly cpl: number;
  readonly operation: Moment['operation'];
  /** What happened last, in a few words, and why. */
  readonly title: string;
  readonly sentence: string;
  /** What the guest has printed so far. */
  readonly serial: string;
}

/** What a playhead can be moved to beside the guest's instructions: where it was left, and where its ring or its mode changed. */
export type LaneStop = 'exit' | 'mode' | 'ring';

export class LaneProgress {
  readonly #record: RunRecord;
  readonly #states: Int32Array;
  readonly #exits: readonly number[];
  readonly #switches: readonly number[];
  /** Found when they are first asked for. */
  readonly #changes = new Map<'mode' | 'ring', readonly number[]>();

  /** `states`: those of the lane, by the instructions of the reference. */
  constructor(record: RunRecord, states: Int32Array) {
    this.#record = record;
    this.#states = states;
    this.#exits = [...exitsOf(record)].map(({step}) => step);
    this.#switches = switchesOf(record);
  }

  /** The lane when the guest has come to an instruction of the reference: 0 … its number of instructions. */
  at(instruction: number): LaneStanding {
    const state = this.#states[Math.min(instruction, this.#states.length - 1)] ?? 0;
    const isReal = this.#record.header.engine === 'kvm';
    return {
      state,
      cycle: isReal ? undefined : this.#record.cycleAt(state),
      exits: countBelow(this.#exits, state),
      switches: countBelow(this.#switches, state),
    };
  }

  /**
   * The nearest instruction, after or before one, by which the guest has been left, or has changed its ring or its mode, once
   * more or once less; undefined when there is none.
   */
  beside(stop: LaneStop, instruction: number, direction: 'back' | 'forward'): number | undefined {
    const steps = stop === 'exit' ? this.#exits : this.#stepsOf(stop);
    const state = this.#states[Math.min(instruction, this.#states.length - 1)] ?? 0;
    const so = countBelow(steps, state);
    const step = steps[direction === 'forward' ? so : so - 1];
    if (step === undefined) return undefined;
    return direction === 'forward' ? this.instructionAfter(step) : this.#instructionBefore(step);
  }

  /** The first instruction of the reference by which a step of this lane is over; undefined where there is none. */
  instructionAfter(step: number): number | undefined {
    const found = countBelow(this.#states, step + 1);
    return found < this.#states.length ? found : undefined;
  }

  #instructionBefore(step: number): number | undefined {
    const after = countBelow(this.#states, step + 1);
    return after > 0 ? after - 1 : undefined;
  }

  #stepsOf(kind: 'mode' | 'ring'): readonly number[] {
    const known = this.#changes.get(kind);
    if (known !== undefined) return known;
    const steps = [...new Set([...this.#record.events.allOf(kind)].map(({step}) => step))];
    this.#changes.set(kind, steps);
    return steps;
  }

  /** The lane in so many columns. */
  strip(columns: number): LaneStrip {
    const runs = new Uint8Array(columns);
    const exits = new Uint32Array(columns);
    const instructions = this.#states.length - 1;
    const isReal = this.#record.header.engine === 'kvm';
    for (let column = 0; column < columns; column++) {
      const first = Math.floor((column * instructions) / columns);
      const next = Math.floor(((column + 1) * instructions) / columns);
      const [from, to] = [this.#states[first] ?? 0, this.#states[next] ?? 0];
      exits[column] = countBelow(this.#exits, to) - countBelow(this.#exits, from);
      runs[column] = isReal
        ? 2
        : this.#record.columns.who(Math.min(from, this.#record.length - 1)) === 'guest-user'
          ? 1
          : 0;
    }
    return {runs, exits};
  }
}

/** Steps after which another has the processor. */
function switchesOf(record: RunRecord): readonly number[] {
  const found: number[] = [];
  for (let step = 0; step + 1 < record.length; step++)
    if (record.columns.who(step) !== record.columns.who(step + 1)) found.push(step);
  return found;
}

/** How many of the ascending numbers are below `limit`. */
function countBelow(numbers: ArrayLike<number>, limit: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? Infinity) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
