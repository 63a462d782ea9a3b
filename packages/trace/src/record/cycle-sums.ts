// How many cycles each actor had up to any moment: prefix sums every 128 steps, and a short scan after them.

import {ACTOR_ORDER} from './actors.js';
import type {StepColumns} from './step-columns.js';

const BLOCK = 128;

export class CycleSums {
  readonly #steps: StepColumns;
  /** Row per block boundary, ACTOR_ORDER.length wide: cycles before step block × 128. */
  readonly #rows: Float64Array[] = [new Float64Array(ACTOR_ORDER.length)];

  constructor(steps: StepColumns) {
    this.#steps = steps;
  }

  /** Writes into `sums` the cycles of each actor from the start to cycle `at`; `end` is the cycle after the last step. */
  upTo(at: number, end: number, sums: Float64Array): void {
    this.#extend(end);
    const step = Math.max(0, this.#steps.cycles.countAtMost(at) - 1);
    const block = Math.floor(step / BLOCK);
    sums.set(this.#rows[block] ?? new Float64Array(ACTOR_ORDER.length));
    for (let i = block * BLOCK; i < step; i++) this.#add(sums, i, this.#after(i, end));
    if (this.#steps.length > 0) this.#add(sums, step, Math.min(Math.max(at, this.#steps.cycles.at(step)), end));
  }

  #extend(end: number): void {
    for (let next = this.#rows.length; next * BLOCK <= this.#steps.length - 1; next++) {
      const row = Float64Array.from(this.#rows[next - 1] ?? []);
      for (let i = (next - 1) * BLOCK; i < next * BLOCK; i++) this.#add(row, i, this.#after(i, end));
      this.#rows.push(row);
    }
  }
  #after(step: number, end: number): number {
    return step + 1 < this.#steps.length ? this.#steps.cycles.at(step + 1) : end;
  }
  #add(sums: Float64Array, step: number, until: number): void {
    const actor = this.#steps.actorIndex(step);
    sums[actor] = (sums[actor] ?? 0) + until - this.#steps.cycles.at(step);
  }
}
