// What stretches of a run cost, beside each other: cycles and instructions, counted in the record.

import {findPlace} from './find-place.js';
import type {Measurement, Stretch} from './scenario.js';
import type {ScenarioRun} from './scenario-run.js';

/** A stretch that was found. Both states are of the run; cycles are the machine's own, by its cost model. */
export interface Measured {
  readonly name: string;
  readonly ok: true;
  /** The state before its first step, and the one behind its last. */
  readonly from: number;
  readonly to: number;
  readonly instructions: number;
  readonly cycles: number;
}

export interface NotMeasured {
  readonly name: string;
  readonly ok: false;
  readonly why: string;
}

/** Each stretch is looked for from where the guest begins, recording the run as far as need be. */
export const measure = (run: ScenarioRun, {stretches}: Measurement): readonly (Measured | NotMeasured)[] =>
  stretches.map(stretch => measureStretch(run, stretch));

function measureStretch(run: ScenarioRun, {name, first, last}: Stretch): Measured | NotMeasured {
  const begin = findPlace(run, first, run.start);
  if (!begin.ok) return {name, ok: false, why: begin.why};
  const end = findPlace(run, last, begin.index - 1);
  if (!end.ok) return {name, ok: false, why: end.why};
  const [from, to] = [begin.index - 1, end.index];
  let instructions = 0;
  for (let step = from; step < to; step++) instructions += run.record.columns.kind(step) === 'instruction' ? 1 : 0;
  return {name, ok: true, from, to, instructions, cycles: run.record.cycleAt(to) - run.record.cycleAt(from)};
}

/** What does not hold of a measurement: a stretch that does not occur, or an order that is not so. */
export function measurementFailures(run: ScenarioRun, measurement: Measurement): readonly string[] {
  const rows = measure(run, measurement);
  const missing = rows.flatMap(row => (row.ok ? [] : [`“${row.name}”: ${row.why}`]));
  const {ascending} = measurement;
  if (missing.length > 0 || ascending === undefined) return missing;
  return rows.flatMap((row, index) => {
    const before = rows[index - 1];
    if (!row.ok || before?.ok !== true || before[ascending] < row[ascending]) return [];
    return [
      `“${before.name}” has ${before[ascending]} ${ascending} and “${row.name}” ${row[ascending]}: not in ascending order.`,
    ];
  });
}
