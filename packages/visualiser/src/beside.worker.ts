// The half of the worker that lays the open run beside something: beside a scenario's places, the run before it, or a run of real KVM.
// Fetched when the first of these is asked for.

import {guestCellsAt, scenarioRunOf} from '@hyperscope/simulation';
import type {Session, SimulationHost} from '@hyperscope/simulation';
import {compareRecords} from '@hyperscope/trace';
import type {RunChoice, RunRecord} from '@hyperscope/trace';
import {crossings} from '@hyperscope/walkthroughs/crossings';
import {findPlace} from '@hyperscope/walkthroughs/finding';
import {measure} from '@hyperscope/walkthroughs/measuring';
import type {Crossing, FoundPlace, Measured, Measurement, NotMeasured, Place} from '@hyperscope/walkthroughs';
import {besideRows, realMarks} from './beside-rows.js';
import type {RealComparison} from './lab-client.js';
import {runChange, samePlace} from './switches/run-change.js';
import type {RunChange} from './switches/run-change.js';

/** Steps of two runs that are laid beside each other: all of mini-os. */
const COMPARED = 160_000;

/** What a scenario asks of an open run. */
interface AskedRun {
  place(place: Place, here: number): FoundPlace;
  measured(measurement: Measurement): readonly (Measured | NotMeasured)[];
  crossings(): readonly Crossing[];
}

/** Asks a session, recording it as far as need be. The playhead stays. */
export function inRun<T>(host: SimulationHost, session: Session, choice: RunChoice, ask: (run: AskedRun) => T): T {
  const at = session.moment().index;
  const run = scenarioRunOf(host, session, choice);
  const answer = ask({
    place: (place, here) => findPlace(run, place, here),
    measured: measurement => measure(run, measurement),
    crossings: () => crossings(run),
  });
  session.seek(at);
  return answer;
}

/** What the second run does otherwise than the first. Records both. */
export function changeOf(before: Session, after: Session): RunChange {
  for (const session of [before, after]) {
    const at = session.moment().index;
    session.driver.advanceBy(Math.max(0, COMPARED - session.record.length));
    session.seek(at);
  }
  return runChange(before, after, guestCellsAt);
}

/** The state of the second run in which the guest has come as far as at a state of the first. */
export const samePlaceOf = (before: Session, at: number, after: Session): number =>
  samePlace(before.record, at, after.record, guestCellsAt);

/** A run beside one of real KVM. `adapts`: the guest does other things on a machine that has other devices. */
export function realComparison(record: RunRecord, real: RunRecord, adapts: boolean): RealComparison {
  const found = compareRecords(record, real, guestCellsAt);
  const exitSteps = [...record.events.allOf('vm-exit')].map(({step}) => step);
  const run = {exitSteps, cycleAt: (state: number) => record.cycleAt(state)};
  const rows = besideRows(found, run);
  return {
    header: real.header,
    sentences: found.sentences,
    rows,
    exits: found.exits,
    unexplained: found.unexplained,
    adapts,
    marks: realMarks(rows, run),
    serial: found.b.serial,
  };
}
