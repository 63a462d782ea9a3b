// The timeline at a resolution: who had the processor in each column of a window, and what happened there.

import type {TimelineWindow} from '../session-view.js';
import type {TraceEvent} from '../record-format.js';
import {labelEvent} from '../explain/label-event.js';
import {ACTOR_ORDER} from './actors.js';
import type {RunRecord} from './run-record.js';

/** The most marks that a window carries: more cannot be told apart on a screen. */
export const MAXIMUM_MARKS = 2000;

/** Shown as marks, the important ones first: where marks must be left out, the important ones stay. */
const MARK_RANK: Readonly<Partial<Record<TraceEvent['kind'], number>>> = {
  'triple-fault': 0,
  unsupported: 0,
  'vm-entry-failure': 0,
  'kvm-exit': 1,
  'vm-exit': 1,
  halt: 1,
  exception: 2,
  mode: 2,
  'vm-entry': 3,
  ring: 3,
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
  return {fromCycle, toCycle, columns, cycles, marks: marks(record, fromCycle, toCycle)};
}

function marks(record: RunRecord, fromCycle: number, toCycle: number): TimelineWindow['marks'] {
  const ranked: {readonly event: TraceEvent; readonly step: number; readonly rank: number}[] = [];
  for (let i = record.events.firstAt(record.stateAtCycle(fromCycle)); i < record.events.length; i++) {
    const step = record.events.stepOf(i);
    if (record.cycleAt(step) > toCycle) break;
    const event = record.events.at(i);
    const rank = event === undefined ? undefined : MARK_RANK[event.kind];
    if (event !== undefined && rank !== undefined && record.cycleAt(step) >= fromCycle)
      ranked.push({event, step, rank});
  }
  return thinned(ranked).map(({event, step}) => ({
    step,
    cycle: record.cycleAt(step),
    kind: event.kind,
    label: labelEvent(event),
  }));
}

/** Leaves out the least important first, and of equally important ones every so many. */
function thinned<T extends {readonly rank: number; readonly step: number}>(all: readonly T[]): readonly T[] {
  if (all.length <= MAXIMUM_MARKS) return all;
  const kept: T[] = [];
  for (const rank of [0, 1, 2, 3]) {
    const here = all.filter(mark => mark.rank === rank);
    const room = MAXIMUM_MARKS - kept.length;
    const stride = Math.max(1, Math.ceil(here.length / Math.max(room, 1)));
    if (room > 0) kept.push(...here.filter((_, i) => i % stride === 0));
  }
  return kept.sort((a, b) => a.step - b.step);
}
