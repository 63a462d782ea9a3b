// Which ways the processor took between those who have it, in one run: the arrows between the cells of the grid.

import {labelEvent} from '@hyperscope/trace';
import type {Moment, TraceEvent} from '@hyperscope/trace';
import {findPlace, patternWords} from './find-place.js';
import type {Arrow} from './scenario.js';
import type {ScenarioRun} from './scenario-run.js';

type Who = Moment['who'];

/** An arrow that was taken. */
export interface Crossing {
  readonly from: Who;
  readonly to: Who;
  readonly count: number;
  /** The state behind the step that took it first, and the mechanism as the timeline prints it. */
  readonly first: number;
  readonly how: string;
}

/** Kinds of event that take the processor to somebody else; the first that a step has names the arrow. */
const MECHANISMS: readonly TraceEvent['kind'][] = ['vm-exit', 'vm-entry', 'ring', 'ioctl', 'delivery', 'exception'];

/** Recorded to the end of the run, as far as it is watched. What devices do by themselves is nobody's arrow. */
export function crossings(run: ScenarioRun): readonly Crossing[] {
  findPlace(run, {from: 'end', occurrence: 1}, 0);
  const {columns, length} = run.record;
  const found = new Map<string, Crossing>();
  for (let step = 0; step + 1 < length; step++) {
    const [from, to] = [columns.who(step), columns.who(step + 1)];
    if (from === to || from === 'device' || to === 'device') continue;
    const known = found.get(`${from} ${to}`);
    const crossing = known ?? {from, to, count: 0, first: step + 1, how: mechanismOf(run, step)};
    found.set(`${from} ${to}`, {...crossing, count: crossing.count + 1});
  }
  return [...found.values()];
}

function mechanismOf(run: ScenarioRun, step: number): string {
  const events = run.record.eventsOf(step);
  for (const kind of MECHANISMS) {
    const event = events.find(each => each.kind === kind);
    if (event !== undefined) return labelEvent(event);
  }
  return run.textOf(step);
}

/** What does not hold of an arrow in a run. */
export function arrowFailures(run: ScenarioRun, {from, to, exists}: Arrow): readonly string[] {
  const taken = crossings(run).find(each => each.from === from && each.to === to);
  if ((taken !== undefined) === (exists === 'yes')) return [];
  return [
    taken === undefined
      ? `The run has no ${patternWords({who: from})} directly followed by ${to}.`
      : `The run goes from ${from} to ${to}, by ${taken.how}.`,
  ];
}
