// What a change of the machine changed: exits by reason, output, ending, and the first thing that the world saw otherwise.

import {compareRecords, guestInstructions} from '@hyperscope/trace';
import type {ExitRow, RunRecord} from '@hyperscope/trace';

/** A run beside the one before it, of the same guest. */
export interface RunChange {
  /** By reason; only those whose counts differ, the largest difference first. */
  readonly exits: readonly {readonly reason: string; readonly before: number; readonly after: number}[];
  readonly exitsBefore: number;
  readonly exitsAfter: number;
  readonly printedBefore: string;
  readonly printedAfter: string;
  readonly endingBefore: string;
  readonly endingAfter: string;
  /** One sentence; undefined where the world saw the same. */
  readonly divergence: string | undefined;
  /** The state of this run at which it shows. */
  readonly at: number | undefined;
}

/** What is asked of each of the two. */
export interface ChangedRun {
  readonly record: RunRecord;
  exits(): readonly ExitRow[];
}
type View = Parameters<typeof guestInstructions>[1];

const GOES_ON = 'It goes on.';

export function runChange(before: ChangedRun, after: ChangedRun, view: View): RunChange {
  const {a, b, events} = compareRecords(before.record, after.record, view);
  const first = firstDifference(events);
  const [rowsBefore, rowsAfter] = [before.exits(), after.exits()];
  return {
    exits: differing(rowsBefore, rowsAfter),
    exitsBefore: total(rowsBefore),
    exitsAfter: total(rowsAfter),
    printedBefore: a.serial,
    printedAfter: b.serial,
    endingBefore: a.outcome ?? GOES_ON,
    endingAfter: b.outcome ?? GOES_ON,
    divergence:
      first === undefined
        ? undefined
        : `The first thing that differs to the world outside: before ${first.a?.label ?? 'nothing'}, now ${first.b?.label ?? 'nothing'}.`,
    at: first?.b?.step,
  };
}

type Events = ReturnType<typeof compareRecords>['events'];
type Seen = Events[number]['a'];

/** The first event that is not the same, counted on each side by itself. */
function firstDifference(events: Events): {readonly a: Seen; readonly b: Seen} | undefined {
  const old = events.flatMap(({a}) => (a === undefined ? [] : [a]));
  const now = events.flatMap(({b}) => (b === undefined ? [] : [b]));
  const length = Math.max(old.length, now.length);
  for (let i = 0; i < length; i++) if (old[i]?.label !== now[i]?.label) return {a: old[i], b: now[i]};
  return undefined;
}

const total = (rows: readonly ExitRow[]): number => rows.reduce((sum, {count}) => sum + count, 0);

function differing(before: readonly ExitRow[], after: readonly ExitRow[]): RunChange['exits'] {
  const counts = new Map<string, {before: number; after: number}>();
  for (const {reason, count} of before) counts.set(reason, {before: count, after: 0});
  for (const {reason, count} of after) counts.set(reason, {before: counts.get(reason)?.before ?? 0, after: count});
  return [...counts]
    .map(([reason, each]) => ({reason, ...each}))
    .filter(each => each.before !== each.after)
    .sort((x, y) => Math.abs(y.after - y.before) - Math.abs(x.after - x.before));
}

/** The state of `after` in which the guest has come as far as at a state of `before`, by instructions of its own. */
export function samePlace(before: RunRecord, at: number, after: RunRecord, view: View): number {
  const done = guestInstructions(before, view).filter(({step}) => step <= at).length;
  const there = guestInstructions(after, view)[Math.max(0, done - 1)];
  return there?.step ?? after.length;
}
