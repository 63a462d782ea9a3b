// The timeline at a resolution: who had the processor in each column of a window, and what happened there.

import {MARK_ROWS} from '../session-view.js';
import type {TimelineWindow} from '../session-view.js';
import type {TraceEvent} from '../record-format.js';
import {labelEvent} from '../explain/label-event.js';
import {ACTOR_ORDER} from './actors.js';
import type {RunRecord} from './run-record.js';

/** The most marks that a window carries: more cannot be told apart on a screen. */
export const MAXIMUM_MARKS = 2000;

/** Shown as marks, the important ones first. Of equally important ones either all are there, or none: a part says nothing that the counts do not. */
const MARK_RANKS: readonly (readonly TraceEvent['kind'][])[] = [
  ['triple-fault', 'unsupported', 'vm-entry-failure'],
  ['kvm-exit', 'vm-exit', 'halt'],
  ['exception', 'mode'],
  ['vm-entry', 'ring'],
];

/** The kinds that are counted in each of MARK_ROWS. */
const COUNTED: Readonly<Record<(typeof MARK_ROWS)[number], readonly TraceEvent['kind'][]>> = {
  exits: ['vm-exit', 'kvm-exit', 'vm-entry-failure'],
  exceptions: ['exception', 'triple-fault'],
};

/** `columns` equal parts of the cycles fromCycle … toCycle. */
export function timelineWindow(record: RunRecord, fromCycle: number, toCycle: number, columns: number): TimelineWindow {
  const actors = ACTOR_ORDER.length;
  const cycles = new Float64Array(columns * actors);
  const before = new Float64Array(actors);
  const after = new Float64Array(actors);
  record.cycleSums.upTo(fromCycle, record.endCycle, before);
  for (let column = 0; column < columns; column++) {
    record.cycleSums.upTo(fromCycle + ((toCycle - fromCycle) * (column + 1)) / columns, record.endCycle, after);
    for (let actor = 0; actor < actors; actor++)
      cycles[actor * columns + column] = (after[actor] ?? 0) - (before[actor] ?? 0);
    before.set(after);
  }
  const counts = countsOf(record, fromCycle, toCycle, columns);
  return {fromCycle, toCycle, columns, cycles, counts, ...marks(record, fromCycle, toCycle)};
}

/** The first step that begins at a cycle or later: a cycle counter is a whole number. */
const firstStepFrom = (record: RunRecord, cycle: number): number =>
  record.columns.cycles.countAtMost(Math.ceil(cycle) - 1);

/**
 * Events are numbered by kind in the order of time, so a column's count is the difference of two places in that order: a
 * million events are counted by two searches a column, exactly.
 */
function countsOf(record: RunRecord, fromCycle: number, toCycle: number, columns: number): Uint32Array {
  const counts = new Uint32Array(MARK_ROWS.length * columns);
  // Where hardware is left, what KVM_RUN returns later is the same exit once more.
  const again = record.events.countOf('vm-exit') > 0 ? 'kvm-exit' : undefined;
  const numberBefore = (row: (typeof MARK_ROWS)[number], event: number): number =>
    COUNTED[row].reduce((sum, kind) => sum + (kind === again ? 0 : record.events.countBeforeIndex(kind, event)), 0);
  const first = record.events.firstAt(firstStepFrom(record, fromCycle));
  const before = MARK_ROWS.map(row => numberBefore(row, first));
  for (let column = 0; column < columns; column++) {
    const end = fromCycle + ((toCycle - fromCycle) * (column + 1)) / columns;
    // What happens at the very end of the window belongs to its last column.
    const event = record.events.firstAt(firstStepFrom(record, column === columns - 1 ? end + 1 : end));
    MARK_ROWS.forEach((row, at) => {
      const until = numberBefore(row, event);
      counts[at * columns + column] = until - (before[at] ?? 0);
      before[at] = until;
    });
  }
  return counts;
}

function marks(record: RunRecord, fromCycle: number, toCycle: number): Pick<TimelineWindow, 'marked' | 'marks'> {
  const {events} = record;
  const first = firstStepFrom(record, fromCycle);
  const end = firstStepFrom(record, toCycle + 1);
  const ranges = MARK_RANKS.map(kinds =>
    kinds.map(kind => ({kind, from: events.countBefore(kind, first), to: events.countBefore(kind, end)})),
  );
  const found: {readonly event: TraceEvent; readonly step: number}[] = [];
  let marked = 0;
  for (const kinds of ranges) {
    const here = kinds.reduce((sum, {from, to}) => sum + to - from, 0);
    marked += here;
    if (found.length + here > MAXIMUM_MARKS) continue;
    for (const {kind, from, to} of kinds) {
      for (let i = from; i < to; i++) {
        const {step, event} = events.nth(kind, i);
        if (event !== undefined) found.push({step, event});
      }
    }
  }
  found.sort((a, b) => a.step - b.step);
  return {
    marked,
    marks: found.map(({step, event}) => ({
      step,
      cycle: record.cycleAt(step),
      kind: event.kind,
      label: labelEvent(event),
    })),
  };
}
