// The record of a run, simulated or real: its steps, what each changed, and what happened. While the run goes on a
// Recorder appends to it; played from a file it is complete. Everything that a view asks is answered from here.

import type {Bank} from '@hyperscope/machine';
import {assert} from '@hyperscope/base';
import {ChangePyramid} from '../change/change-pyramid.js';
import {ChangeReader, applyChange} from '../change/change.js';
import type {Touched} from '../change/change.js';
import {StateSpace} from '../change/state-space.js';
import type {Granularity} from '../session-view.js';
import type {RecordHeader, Step, TraceEvent} from '../record-format.js';
import {CycleSums} from './cycle-sums.js';
import {EventColumn} from './event-column.js';
import {ExitIndex} from './exit-index.js';
import {isBoundary} from './granularity.js';
import {InstructionCounts} from './instruction-counts.js';
import {StepColumns} from './step-columns.js';

export class RunRecord {
  readonly header: RecordHeader;
  readonly space: StateSpace;
  /** State 0, as the change that leads to it from zeros. */
  readonly initial: Uint8Array;
  readonly columns = new StepColumns();
  readonly events = new EventColumn();
  readonly changes = new ChangePyramid();
  readonly cycleSums = new CycleSums(this.columns);
  readonly instructionCounts = new InstructionCounts(this.columns);
  readonly exits = new ExitIndex(this.events);
  /** Cycle counter after the last step. */
  endCycle = 0;
  /** How the run ended, as a sentence; undefined while it has not. */
  outcome: string | undefined;

  constructor(header: RecordHeader, initial: Uint8Array) {
    this.header = header;
    this.space = new StateSpace(header.banks);
    this.initial = initial;
  }

  /** The number of steps; states are numbered 0 … length. */
  get length(): number {
    return this.columns.length;
  }
  get finished(): boolean {
    return this.outcome !== undefined;
  }

  /** Bytes of memory that the record takes: exact but for the events, which are estimated from samples. */
  get memoryBytes(): number {
    return this.columns.memoryBytes + this.changes.memoryBytes + this.events.memoryBytes + this.initial.length;
  }

  /** A step, with its index; undefined outside 0 … length - 1. */
  step(index: number): Step | undefined {
    return index >= 0 && index < this.length ? this.columns.at(index) : undefined;
  }
  *steps(from = 0, to = this.length): IterableIterator<Step> {
    for (let index = from; index < Math.min(to, this.length); index++) yield this.columns.at(index);
  }
  /** What happened during a step. */
  eventsOf(step: number): readonly TraceEvent[] {
    return this.events.of(step);
  }

  /** The cycle counter at a state. */
  cycleAt(state: number): number {
    return state < this.length ? this.columns.cycles.at(state) : this.endCycle;
  }
  /** The state that the cycle counter had reached: the last one whose cycle is at most `cycle`. */
  stateAtCycle(cycle: number): number {
    return cycle >= this.endCycle ? this.length : Math.max(0, this.columns.cycles.countAtMost(cycle) - 1);
  }

  /** Carries banks of this record's shape from one state to another. */
  seek(banks: readonly Bank[], from: number, to: number, touched?: Touched): void {
    assert(
      from >= 0 && to >= 0 && from <= this.length && to <= this.length,
      `seek from ${from} to ${to} in ${this.length} steps`,
    );
    this.changes.seek(this.space, banks, from, to, touched);
  }
  /** Banks that hold state 0. */
  initialBanks(): readonly Bank[] {
    const banks = this.space.allocate();
    applyChange(new ChangeReader(), this.initial, 0, this.initial.length, this.space, banks);
    return banks;
  }

  /** The last step before state `before` that wrote this byte; undefined when it still has its first value. */
  lastWriter(bank: string, offset: number, before = this.length): number | undefined {
    const place = this.space.place(bank, offset);
    return place === undefined ? undefined : this.changes.lastWriter(place, before);
  }

  /** The state after the next step (from state `from`) that has an event for which `wanted` holds; undefined when none is recorded. */
  nextEvent(from: number, wanted: (event: TraceEvent) => boolean): number | undefined {
    for (let i = this.events.firstAt(from); i < this.events.length; i++) {
      const event = this.events.at(i);
      if (event !== undefined && wanted(event)) return this.events.stepOf(i) + 1;
    }
    return undefined;
  }
  /** The same towards the past: the nearest state before `from` that follows such a step. */
  previousEvent(from: number, wanted: (event: TraceEvent) => boolean): number | undefined {
    for (let i = this.events.firstAt(from - 1) - 1; i >= 0; i--) {
      const event = this.events.at(i);
      if (event !== undefined && wanted(event)) return this.events.stepOf(i) + 1;
    }
    return undefined;
  }

  /** Where one unit of the granularity leads from a state; undefined when nothing recorded lies that way. */
  neighbour(from: number, direction: 'forward' | 'back', granularity: Granularity): number | undefined {
    if (granularity === 'instruction') {
      const to = direction === 'forward' ? from + 1 : from - 1;
      return to >= 0 && to <= this.length ? to : undefined;
    }
    const wanted = (event: TraceEvent): boolean => isBoundary(event, granularity);
    return direction === 'forward' ? this.nextEvent(from, wanted) : this.previousEvent(from, wanted);
  }
}
