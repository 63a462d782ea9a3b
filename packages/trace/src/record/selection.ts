// Totals between two cycles: who had the processor, how many instructions, and what made the guest leave.

import {exceptionAt} from '@hyperscope/isa';
import type {SelectionTotals} from '../time-view.js';
import {ACTOR_ORDER} from './actors.js';
import type {RunRecord} from './run-record.js';

/** Steps that begin in fromCycle … toCycle count; the cycles of one that lies across an end are divided there. */
export function selectionTotals(record: RunRecord, fromCycle: number, toCycle: number): SelectionTotals {
  const from = Math.min(Math.max(0, Math.min(fromCycle, toCycle)), record.endCycle);
  const to = Math.min(Math.max(fromCycle, toCycle), record.endCycle);
  const fromState = firstStateFrom(record, from);
  const toState = Math.max(fromState, firstStateFrom(record, to));
  const before = new Float64Array(ACTOR_ORDER.length);
  const after = new Float64Array(ACTOR_ORDER.length);
  record.cycleSums.upTo(from, record.endCycle, before);
  record.cycleSums.upTo(to, record.endCycle, after);
  const counted = record.instructionCounts.before(fromState);
  const reached = record.instructionCounts.before(toState);
  return {
    fromCycle: from,
    toCycle: to,
    fromState,
    toState,
    actors: ACTOR_ORDER.map((who, row) => ({
      who,
      cycles: (after[row] ?? 0) - (before[row] ?? 0),
      instructions: (reached.instructions[row] ?? 0) - (counted.instructions[row] ?? 0),
      otherSteps: (reached.others[row] ?? 0) - (counted.others[row] ?? 0),
    })),
    exits: record.exits
      .reasons()
      .map(({reason, steps}) => ({reason, count: steps.countAtMost(toState - 1) - steps.countAtMost(fromState - 1)}))
      .filter(row => row.count > 0)
      .sort((a, b) => b.count - a.count),
    exceptions: exceptionsBetween(record, fromState, toState),
  };
}

/** The first state whose cycle is at least `cycle`: where the first step begins that counts. */
function firstStateFrom(record: RunRecord, cycle: number): number {
  // The steps before it began earlier. A cycle counter is a whole number.
  return cycle >= record.endCycle ? record.length : record.columns.cycles.countAtMost(Math.ceil(cycle) - 1);
}

function exceptionsBetween(record: RunRecord, fromState: number, toState: number): SelectionTotals['exceptions'] {
  const {events} = record;
  const counts = new Map<string, number>();
  for (let i = events.countBefore('exception', fromState); i < events.countBefore('exception', toState); i++) {
    const {event} = events.nth('exception', i);
    if (event === undefined) continue;
    const name = exceptionAt(event.vector)?.name ?? `vector ${event.vector}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => ({name, count})).sort((a, b) => b.count - a.count);
}
