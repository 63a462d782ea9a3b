// Whether a run shows what a scenario says of it: each thing that it does not show is a sentence.

import {countOf, findPlace, occurs, patternWords} from './find-place.js';
import type {EventCount, Expectation} from './scenario.js';
import type {ScenarioRun} from './scenario-run.js';

/** The outcome of a run that does not end by itself, as far as it is watched. */
export const GOES_ON = 'The run goes on.';

/** What does not hold: of printing up to `index`, of registers there, of events and outcome in the whole run. Empty where all does. */
export function failures(run: ScenarioRun, expectation: Expectation, index: number): readonly string[] {
  const {prints, printsNot, outcome, registers, occursNot = []} = expectation;
  const found: string[] = [];
  if (prints !== undefined || printsNot !== undefined) {
    const serial = run.printed(index);
    if (prints !== undefined && !serial.includes(prints))
      found.push(`It printed ${shown(serial)}, without ${shown(prints)}.`);
    if (printsNot !== undefined && serial.includes(printsNot))
      found.push(`It printed ${shown(serial)}, with ${shown(printsNot)} in it.`);
  }
  if (outcome !== undefined) {
    const ending = endingOf(run);
    if (!ending.includes(outcome)) found.push(`It ended so: ${ending} Not with “${outcome}”.`);
  }
  for (const pattern of expectation.occurs ?? [])
    if (!occurs(run, pattern)) found.push(`There is no ${patternWords(pattern)} in the run.`);
  for (const pattern of occursNot)
    if (occurs(run, pattern)) found.push(`There is a ${patternWords(pattern)} in the run.`);
  for (const count of expectation.counts ?? []) found.push(...wrongCount(run, count));
  return registers === undefined ? found : [...found, ...wrongRegisters(run, registers, index)];
}

function wrongCount(run: ScenarioRun, {event, least, most}: EventCount): readonly string[] {
  const found = countOf(run, event);
  if (found >= least && found <= most) return [];
  const wanted = least === most ? `${least}` : most === Infinity ? `at least ${least}` : `${least} to ${most}`;
  return [`There are ${found} of ${patternWords(event)} in the run and not ${wanted}.`];
}

/** How a run ended, recording it to its end. */
export function endingOf(run: ScenarioRun): string {
  findPlace(run, {from: 'end', occurrence: 1}, 0);
  return run.record.outcome ?? GOES_ON;
}

function wrongRegisters(
  run: ScenarioRun,
  registers: Readonly<Record<string, string>>,
  index: number,
): readonly string[] {
  const moment = run.moment(index);
  return Object.entries(registers).flatMap(([name, text]) => {
    const cell = moment.header.cells.findIndex(each => each.toLowerCase() === name.toLowerCase());
    if (cell < 0) return [`There is no register ${name}.`];
    if (!/^(0x[0-9a-f]+|[0-9]+)$/i.test(text)) return [`${name}: ${text} is no number.`];
    const value = moment.registers[cell] ?? 0n;
    return value === BigInt(text) ? [] : [`${name} is 0x${value.toString(16)} and not ${text}.`];
  });
}

const shown = (text: string): string => JSON.stringify(text.length > 120 ? `…${text.slice(-120)}` : text);
