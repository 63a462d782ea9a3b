// How many steps and instructions each actor had up to any state: sums every 4096 steps, and a short scan after them.

import {ACTOR_ORDER} from '@hyperscope/trace';
import type {RunRecord} from '@hyperscope/trace';

const BLOCK = 4096;

export interface StepTallies {
  /** By actor, in the order of ACTOR_ORDER. */
  readonly steps: Float64Array;
  readonly instructions: Float64Array;
}

const tallies = (): StepTallies => ({
  steps: new Float64Array(ACTOR_ORDER.length),
  instructions: new Float64Array(ACTOR_ORDER.length),
});

export class StepCounts {
  readonly #record: RunRecord;
  readonly #rows: StepTallies[] = [tallies()];

  constructor(record: RunRecord) {
    this.#record = record;
  }

  /** Of the steps before state `index`. */
  upTo(index: number): StepTallies {
    const block = Math.floor(index / BLOCK);
    for (let next = this.#rows.length; next <= block; next++) {
      const row = copyOf(this.#rows[next - 1] ?? tallies());
      this.#count(row, (next - 1) * BLOCK, next * BLOCK);
      this.#rows.push(row);
    }
    const row = copyOf(this.#rows[block] ?? tallies());
    this.#count(row, block * BLOCK, index);
    return row;
  }

  #count({steps, instructions}: StepTallies, from: number, to: number): void {
    const {columns} = this.#record;
    for (let step = from; step < to; step++) {
      const who = columns.actorIndex(step);
      steps[who] = (steps[who] ?? 0) + 1;
      const retires = columns.kind(step) === 'instruction' && columns.instructionLength(step) > 0;
      if (retires) instructions[who] = (instructions[who] ?? 0) + 1;
    }
  }
}

const copyOf = ({steps, instructions}: StepTallies): StepTallies => ({
  steps: steps.slice(),
  instructions: instructions.slice(),
});
