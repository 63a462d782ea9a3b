// Where in a run a place of a scenario is: the state right behind the step that the pattern describes.

import {assertUnreachable} from '@hyperscope/base';
import {isBoundary, labelEvent} from '@hyperscope/trace';
import type {TraceEvent} from '@hyperscope/trace';
import type {EventPattern, Place} from './scenario.js';
import type {ScenarioRun} from './scenario-run.js';
import {SourcePlaces} from './source-places.js';

/** Steps recorded while a place is looked for. */
const SLICE = 20_000;
/** A run is searched no further than this. */
export const FURTHEST = 400_000;

export type FoundPlace = {readonly ok: true; readonly index: number} | {readonly ok: false; readonly why: string};

/** `here`: the state at which the scenario stands. */
export function findPlace(run: ScenarioRun, place: Place, here: number): FoundPlace {
  const from = beginningOf(run, place.from, here);
  const {event, occurrence, further} = place;
  const index = event === undefined ? from : find(run, event, from, occurrence);
  if (index === undefined)
    return {
      ok: false,
      why: `This run has no ${occurrence === 1 ? '' : `${occurrence}th `}${patternWords(event ?? {})} after step ${from}.`,
    };
  if (further === undefined) return {ok: true, index};
  let at = index;
  for (let i = 0; i < further.steps; i++) {
    const next = forward(
      run,
      at,
      event => isBoundary(event, further.granularity),
      further.granularity === 'instruction',
    );
    if (next === undefined)
      return {ok: false, why: `The run ends before ${further.steps} × ${further.granularity} further.`};
    at = next;
  }
  return {ok: true, index: at};
}

function beginningOf(run: ScenarioRun, from: Place['from'], here: number): number {
  switch (from) {
    case 'beginning':
      return 0;
    case 'start':
      return run.start;
    case 'end':
      return endOf(run);
    case 'here':
      return here;
    default:
      return assertUnreachable(from);
  }
}

function endOf(run: ScenarioRun): number {
  while (!run.record.finished && run.record.length < FURTHEST) run.extend(SLICE);
  return run.record.length;
}

/** Whether there is more to see beyond `index`, recording it if need be. */
function reaches(run: ScenarioRun, index: number): boolean {
  while (index >= run.record.length && !run.record.finished && run.record.length < FURTHEST) run.extend(SLICE);
  return index < run.record.length;
}

function forward(
  run: ScenarioRun,
  from: number,
  wanted: (event: TraceEvent) => boolean,
  isEveryStep: boolean,
): number | undefined {
  for (let step = from; reaches(run, step); step++)
    if (isEveryStep || run.record.eventsOf(step).some(wanted)) return step + 1;
  return undefined;
}

function find(run: ScenarioRun, pattern: EventPattern, from: number, occurrence: number): number | undefined {
  const matches = matcher(run, pattern);
  let left = occurrence;
  for (let step = from; reaches(run, step); step++) {
    if (!matches(step)) continue;
    left--;
    if (left === 0) return step + 1;
  }
  return undefined;
}

/** Whether a pattern occurs anywhere in a run. */
export const occurs = (run: ScenarioRun, pattern: EventPattern): boolean => find(run, pattern, 0, 1) !== undefined;

/** How many steps of the whole run are what a pattern describes. */
export function countOf(run: ScenarioRun, pattern: EventPattern): number {
  const matches = matcher(run, pattern);
  let found = 0;
  for (let step = 0; reaches(run, step); step++) if (matches(step)) found++;
  return found;
}

/** Whether a step is what the pattern describes; the cheap questions come first. */
function matcher(run: ScenarioRun, pattern: EventPattern): (step: number) => boolean {
  const {record} = run;
  const {who, at, instruction} = pattern;
  const places = at === undefined ? undefined : new SourcePlaces(run, at);
  const isAboutEvent = pattern.kind !== undefined || pattern.label !== undefined || pattern.sentence !== undefined;
  const text = textCache(run);
  return step => {
    if (who !== undefined && record.columns.who(step) !== who) return false;
    if (places?.has(step) === false) return false;
    if (isAboutEvent && !record.eventsOf(step).some(event => matchesEvent(event, pattern))) return false;
    return instruction === undefined || text(step).startsWith(instruction);
  };
}

/** Code that was read once at an address is taken to be there still: reading it anew for each step would take minutes. */
function textCache(run: ScenarioRun): (step: number) => string {
  const known = new Map<string, string>();
  return step => {
    const {columns} = run.record;
    const length = columns.instructionLength(step);
    if (length === 0) return '';
    const key = `${columns.rip(step)}/${length}`;
    const text = known.get(key) ?? run.textOf(step);
    known.set(key, text);
    return text;
  };
}

function matchesEvent(event: TraceEvent, {kind, label, sentence}: EventPattern): boolean {
  if (kind !== undefined && event.kind !== kind) return false;
  if (label !== undefined && !labelEvent(event).includes(label)) return false;
  return sentence === undefined || sentencesOf(event).includes(sentence);
}

/** The words that the hypervisor's own code gave to an event. */
function sentencesOf(event: TraceEvent): string {
  if ('sentence' in event) return event.sentence;
  return 'why' in event ? event.why : '';
}

/** `vm-exit “I/O instruction”`, `instruction “popfq”`. */
export function patternWords({kind, label, sentence, instruction, at, who}: EventPattern): string {
  const quoted = (text: string | undefined): string => (text === undefined ? '' : ` “${text}”`);
  const words = [
    kind === undefined && (label !== undefined || sentence !== undefined) ? 'event' : (kind ?? ''),
    label === undefined ? '' : quoted(label).trim(),
    sentence === undefined ? '' : `that says${quoted(sentence)}`,
    instruction === undefined ? '' : `instruction${quoted(instruction)}`,
    at === undefined ? '' : `at${quoted(at)}`,
    who === undefined ? '' : `by ${who}`,
  ];
  return words.filter(word => word !== '').join(' ') || 'event';
}
