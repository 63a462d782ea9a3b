// Where the lab's state lies: one value, replaced as a whole by each change, and somebody who is told of it.

import {FIRST_STATE, type LabState} from './lab-state.js';

export class LabStore {
  #state: LabState = FIRST_STATE;
  readonly #changed: (state: LabState) => void;

  constructor(changed: (state: LabState) => void) {
    this.#changed = changed;
  }

  get state(): LabState {
    return this.#state;
  }

  set(change: Partial<LabState>): void {
    this.#state = {...this.#state, ...change};
    this.#changed(this.#state);
  }

  /** Shows that something of ours broke; the page stays. */
  fail(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    this.set({phase: {kind: 'failed', why}, playing: false});
  }
}
