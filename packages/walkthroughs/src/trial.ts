// A trial as something to run: the scenario's choice with the trial's switches, machine and replacements.

import {UserError} from '@hyperscope/base';
import type {RunChoice} from '@hyperscope/trace';
import type {Replacement, Scenario, Trial} from './scenario.js';
import type {SourceOf} from './scenario-run.js';

/** @throws UserError 'bad-trial' where a text to replace does not stand in the source exactly once. */
export function trialChoice(
  base: RunChoice,
  trial: Pick<Trial, 'replace' | 'switches' | 'technique'>,
  sourceOf: SourceOf,
): RunChoice {
  const {technique = base.technique, switches, replace} = trial;
  // Another machine has other switches: those of the scenario stay with its own.
  const kept = technique === base.technique ? base.switches : undefined;
  return {
    technique,
    guest: base.guest,
    edited: replace === undefined ? base.edited : replaced(base.edited ?? sourceOf(base.guest), replace),
    switches: kept === undefined && switches === undefined ? undefined : {...kept, ...switches},
  };
}

/** The choice of a step: its own machine, or that of the last step before it that has one. */
export function choiceAt(scenario: Scenario, step: number): RunChoice {
  const technique = scenario.steps.slice(0, step + 1).findLast(each => each.technique !== undefined)?.technique;
  const {choice} = scenario;
  if (technique === undefined || technique === choice.technique) return choice;
  return {technique, guest: choice.guest, edited: choice.edited};
}

function replaced(source: string, replace: readonly Replacement[]): string {
  let text = source;
  for (const {text: old, by} of replace) {
    const parts = text.split(old);
    if (parts.length !== 2)
      throw new UserError(
        'bad-trial',
        `“${old.trim().slice(0, 80)}” stands in the program ${parts.length === 1 ? 'nowhere' : `${parts.length - 1} times`}; it must stand there exactly once. Copy the line from the program.`,
      );
    text = parts.join(by);
  }
  return text;
}
