// How many instructions each actor had completed before any step: prefix counts every 4,096 steps, and a short scan after them.

import {STEP_KINDS} from '../record-format.js';
import {ACTOR_ORDER} from './actors.js';
import type {StepColumns} from './step-columns.js';

const BLOCK = 4096;
const ACTORS = ACTOR_ORDER.length;
const INSTRUCTION = STEP_KINDS.indexOf('instruction');

/** A row of counts: instructions by actor, then other steps by actor. */
export class InstructionCounts {
  readonly #steps: StepColumns;
  readonly #rows: Float64Array[] = [new Float64Array(2 * ACTORS)];

  constructor(steps: StepColumns) {
    this.#steps = steps;
  }

  /** Counts of the steps before step `step`. */
  before(step: number): {readonly instructions: Float64Array; readonly others: Float64Array} {
    const end = Math.min(Math.max(0, step), this.#steps.length);
    const block = Math.floor(end / BLOCK);
    this.#extend(block);
    const counts = Float64Array.from(this.#rows[block] ?? []);
    this.#add(counts, block * BLOCK, end);
    return {instructions: counts.subarray(0, ACTORS), others: counts.subarray(ACTORS)};
  }

  #extend(block: number): void {
    for (let next = this.#rows.length; next <= block; next++) {
      const row = Float64Array.from(this.#rows[next - 1] ?? []);
      this.#add(row, (next - 1) * BLOCK, next * BLOCK);
      this.#rows.push(row);
    }
  }

  #add(counts: Float64Array, from: number, to: number): void {
    for (let step = from; step < to; step++) {
      const column = this.#steps.actorIndex(step) + (this.#steps.kindIndex(step) === INSTRUCTION ? 0 : ACTORS);
      counts[column] = (counts[column] ?? 0) + 1;
    }
  }
}
