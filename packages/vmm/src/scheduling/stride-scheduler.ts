// Which of several virtual machines gets the processor next, where one processor has to do for all. Stride scheduling (Waldspurger
// and Weihl 1995): each has a pass that advances by what it used, divided by its weight, and the one that is furthest behind is
// next. So over any stretch of time in which two of them both want the processor, they get it in the ratio of their weights.
//
// A policy and nothing else: it knows no hypervisor, measures no time and preempts nobody. Whoever runs the machines tells it what
// happened, and keeps its few numbers where a record can follow them.

import {assert} from '@hyperscope/base';

/** What a virtual machine does: waits for the processor, has it, waits for something to happen, is over. */
export const RUN_STATES = ['ready', 'running', 'waiting', 'done'] as const;
export type RunState = (typeof RUN_STATES)[number];

/** `pass` counts cycles × 1024 / weight; `state` is an index of RUN_STATES. Whole numbers below 2^53. */
export type SchedulerField = 'state' | 'weight' | 'pass';

/** Where the scheduler's numbers are kept: in simulated memory, so that stepping back brings them back. */
export interface SchedulerStore {
  /** How many virtual machines there are, numbered from 0. */
  readonly count: number;
  read(machine: number, field: SchedulerField): number;
  write(machine: number, field: SchedulerField, value: number): void;
}

/** Passes are whole numbers: weights up to this many lose less than a part in a thousand to rounding. */
const PASS_UNIT = 1024;
export const LARGEST_WEIGHT = 100;

export class StrideScheduler {
  readonly #store: SchedulerStore;

  constructor(store: SchedulerStore) {
    this.#store = store;
  }

  /** A new virtual machine wants the processor. `weight`: 1 … LARGEST_WEIGHT, a whole number. */
  admit(machine: number, weight: number): void {
    assert(Number.isInteger(weight) && weight >= 1 && weight <= LARGEST_WEIGHT, 'a weight from 1 to 100');
    this.#store.write(machine, 'weight', weight);
    this.#store.write(machine, 'pass', this.#leastPass() ?? 0);
    this.#setState(machine, 'ready');
  }

  state(machine: number): RunState {
    return RUN_STATES[this.#store.read(machine, 'state')] ?? 'done';
  }
  /** All that are in a state, in the order of their numbers. */
  inState(state: RunState): readonly number[] {
    return this.#all.filter(machine => this.state(machine) === state);
  }

  /** The ready one that is furthest behind; of equals the one with the lowest number. Undefined where none is ready. */
  next(): number | undefined {
    let best: number | undefined;
    for (const machine of this.inState('ready'))
      if (best === undefined || this.#pass(machine) < this.#pass(best)) best = machine;
    return best;
  }

  /** It gets the processor. Nobody else may have it. */
  dispatch(machine: number): void {
    assert(this.state(machine) === 'ready' && this.inState('running').length === 0, 'the processor is free for it');
    this.#setState(machine, 'running');
  }
  /** It used so many cycles, or they were used for it. */
  charge(machine: number, cycles: number): void {
    const weight = Math.max(1, this.#store.read(machine, 'weight'));
    this.#store.write(machine, 'pass', this.#pass(machine) + Math.round((cycles * PASS_UNIT) / weight));
  }
  /** Its time slice is over, and it wants to go on. */
  preempt(machine: number): void {
    assert(this.state(machine) === 'running', 'only who has the processor can lose it');
    this.#setState(machine, 'ready');
  }
  /** It has nothing to do until `wake`. */
  wait(machine: number): void {
    this.#setState(machine, 'waiting');
  }
  /** What it waited for has come. Time that it slept through is not owed to it: it joins those who are furthest behind. */
  wake(machine: number): void {
    assert(this.state(machine) === 'waiting', 'only who waits can be woken');
    const least = this.#leastPass();
    if (least !== undefined && this.#pass(machine) < least) this.#store.write(machine, 'pass', least);
    this.#setState(machine, 'ready');
  }
  /** It will never want the processor again. */
  finish(machine: number): void {
    this.#setState(machine, 'done');
  }

  /** The least pass among those that compete for the processor. */
  #leastPass(): number | undefined {
    const passes = [...this.inState('ready'), ...this.inState('running')].map(machine => this.#pass(machine));
    return passes.length === 0 ? undefined : Math.min(...passes);
  }
  #pass(machine: number): number {
    return this.#store.read(machine, 'pass');
  }
  #setState(machine: number, state: RunState): void {
    this.#store.write(machine, 'state', RUN_STATES.indexOf(state));
  }
  get #all(): readonly number[] {
    return Array.from({length: this.#store.count}, (_, machine) => machine);
  }
}
