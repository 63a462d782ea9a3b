// The events of a run: sparse, in the order in which they happened, each with the step during which it happened.

import type {TraceEvent} from '../record-format.js';
import {NumberColumn} from './growable-columns.js';

export class EventColumn {
  readonly #steps = new NumberColumn();
  readonly #events: TraceEvent[] = [];

  get length(): number { return this.#events.length; }
  push(step: number, event: TraceEvent): void {
    this.#steps.push(step);
    this.#events.push(event);
  }
  stepOf(index: number): number { return this.#steps.at(index); }
  at(index: number): TraceEvent | undefined { return this.#events[index]; }
  /** The index of the first event of this step or a later one. */
  firstAt(step: number): number { return this.#steps.countAtMost(step - 1); }
  of(step: number): readonly TraceEvent[] { return this.#events.slice(this.firstAt(step), this.firstAt(step + 1)); }
}
