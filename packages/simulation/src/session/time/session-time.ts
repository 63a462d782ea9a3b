// What a session answers about time: finds, breakpoints, totals, the micro-operations of one instruction, the record's size.
// It looks with a playhead of its own and records at the frontier; where the session's playhead stands does not matter to it.

import {isBoundary, selectionTotals} from '@hyperscope/trace';
import type {
  Breakpoint,
  MicroStep,
  PlayStop,
  RecordSize,
  RunRecord,
  RunSlice,
  SearchQuery,
  SearchSlice,
  SelectionTotals,
  TimeClient,
} from '@hyperscope/trace';
import type {SourceMap} from '../source-map.js';
import {AHEAD_LIMIT, RECORD_LIMIT} from './record-limits.js';
import type {SessionFinds} from './session-finds.js';

/** The size is looked at once in so many recorded steps. */
const SIZE_CHECK = 4096;

export interface TimeSurroundings {
  readonly record: RunRecord;
  readonly source: SourceMap | undefined;
  readonly textOf: (step: number) => string;
  /** Records one more step at the frontier; false where the run has ended. */
  readonly recordOne: () => boolean;
}

export class SessionTime implements TimeClient {
  readonly #around: TimeSurroundings;
  #found: SessionFinds | undefined;
  #isFull = false;
  #checkedAt = 0;

  constructor(around: TimeSurroundings) {
    this.#around = around;
  }

  selection(fromCycle: number, toCycle: number): SelectionTotals {
    return selectionTotals(this.#around.record, fromCycle, toCycle);
  }

  async search(query: SearchQuery, from: number, steps: number, most: number): Promise<SearchSlice> {
    const finds = await this.#finds();
    return finds.search(query, from, steps, most);
  }

  async runTo(
    breakpoints: readonly Breakpoint[],
    from: number,
    direction: 'forward' | 'back',
    steps: number,
  ): Promise<RunSlice> {
    const finds = await this.#finds();
    return finds.runTo(breakpoints, from, direction, steps);
  }

  async microSteps(index: number): Promise<readonly MicroStep[]> {
    const finds = await this.#finds();
    return finds.microSteps(index);
  }

  playTo(from: number, steps: number, stops: readonly PlayStop[]): number {
    const {record} = this.#around;
    for (let state = from; state < from + steps; state++) {
      if (state >= record.length && !this.#record()) return record.length;
      if (!record.events.has(state)) continue;
      const events = record.eventsOf(state);
      if (events.some(event => stops.some(stop => isBoundary(event, stop)))) return state + 1;
    }
    return from + steps;
  }

  size(): RecordSize {
    const {record} = this.#around;
    return {
      steps: record.length,
      events: record.events.length,
      bytes: record.memoryBytes,
      aheadLimit: AHEAD_LIMIT,
      limit: RECORD_LIMIT,
    };
  }

  /** Whether nothing more is recorded, because the record has reached its limit. */
  get isFull(): boolean {
    const {record} = this.#around;
    if (!this.#isFull && record.length >= this.#checkedAt + SIZE_CHECK) {
      this.#checkedAt = record.length;
      this.#isFull = record.memoryBytes >= RECORD_LIMIT;
    }
    return this.#isFull;
  }

  /** Rejects where it cannot be fetched, and is fetched again when it is asked for again. */
  async #finds(): Promise<SessionFinds> {
    const {SessionFinds: Finds} = await import('./session-finds.js');
    return (this.#found ??= new Finds({...this.#around, recordOne: () => this.#record()}));
  }

  #record(): boolean {
    return !this.isFull && this.#around.recordOne();
  }
}
