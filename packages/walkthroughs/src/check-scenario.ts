// Checks a scenario by running it: every place exists, every expectation holds, whatever is broken gives what is said of it, and
// each right answer is shown by a run.

import {UserError} from '@hyperscope/base';
import type {RunChoice} from '@hyperscope/trace';
import {arrowFailures} from './crossings.js';
import {failures} from './expectations.js';
import {findPlace} from './find-place.js';
import {makeQuestion} from './make-question.js';
import type {MadeQuestion} from './make-question.js';
import {measurementFailures} from './measure.js';
import type {Question, Scenario, ScenarioStep, Trial} from './scenario.js';
import type {OpenRun, ScenarioRun, SourceOf} from './scenario-run.js';
import type {SeededQuestion} from './seeded-question.js';
import {choiceAt, trialChoice} from './trial.js';

export interface Checked {
  /** `step 3, “POPF”`; `question 2`. */
  readonly what: string;
  /** The state of a step; undefined for whatever else is checked. */
  readonly index: number | undefined;
  /** What it came to, where that is not in the file: a seeded question with its answer. */
  readonly found?: string | undefined;
  /** Sentences; empty where all is well. */
  readonly failures: readonly string[];
}

/** Sets in which each seeded question is made. */
const CHECKED_SETS = [1, 2] as const;

/** In the order of the file. Never throws for what the scenario says. `sets`: those in which seeded questions are made. */
export function checkScenario(
  scenario: Scenario,
  open: OpenRun,
  sourceOf: SourceOf,
  sets: readonly number[] = CHECKED_SETS,
): readonly Checked[] {
  const check = new ScenarioCheck(scenario, open, sourceOf);
  return [
    ...scenario.steps.flatMap((step, number) => check.step(step, number)),
    ...check.questions(),
    ...check.seeded(sets),
  ];
}

class ScenarioCheck {
  readonly #scenario: Scenario;
  readonly #open: OpenRun;
  readonly #sourceOf: SourceOf;
  /** The runs so far, by what was chosen: many questions are about the same. */
  readonly #runs = new Map<string, ScenarioRun>();
  #here = 0;
  #technique: string | undefined;

  constructor(scenario: Scenario, open: OpenRun, sourceOf: SourceOf) {
    this.#scenario = scenario;
    this.#open = open;
    this.#sourceOf = sourceOf;
  }

  step(step: ScenarioStep, number: number): readonly Checked[] {
    const what = `step ${number + 1}, “${step.title}”`;
    const choice = choiceAt(this.#scenario, number);
    const place = guarded(() => this.#place(step, choice));
    const checked: Checked[] = [{what, index: place.index, failures: place.failures}];
    const {prediction} = step;
    if (prediction?.check !== undefined)
      checked.push({what: `${what}, prediction`, index: undefined, failures: this.#trial(prediction.check, choice)});
    checked.push(...this.#comparisons(step, what, choice));
    for (const broken of step.breakIt)
      checked.push({
        what: `${what}, break it: ${broken.title}`,
        index: undefined,
        failures: this.#trial(broken, choice),
      });
    return checked;
  }

  #comparisons({measurement, arrowGuess}: ScenarioStep, what: string, choice: RunChoice): readonly Checked[] {
    const checked = (name: string, found: () => readonly string[]): Checked => ({
      what: `${what}, ${name}`,
      index: undefined,
      failures: guarded(() => ({index: undefined, failures: found()})).failures,
    });
    const measured =
      measurement === undefined
        ? []
        : [checked(`measured: ${measurement.title}`, () => measurementFailures(this.#run(choice), measurement))];
    const arrows = (arrowGuess?.arrows ?? []).map(arrow =>
      checked(`arrow from ${arrow.from} to ${arrow.to}`, () =>
        arrowFailures(this.#run(trialChoice(choice, arrow, this.#sourceOf)), arrow),
      ),
    );
    return [...measured, ...arrows];
  }

  questions(): readonly Checked[] {
    return this.#scenario.questions.flatMap((question: Question, index) =>
      question.check === undefined
        ? []
        : [
            {
              what: `question ${index + 1}`,
              index: undefined,
              failures: this.#trial(question.check, this.#scenario.choice),
            },
          ],
    );
  }

  seeded(sets: readonly number[]): readonly Checked[] {
    return this.#scenario.seeded.flatMap(question => sets.map(set => this.#seededIn(question, set)));
  }

  #seededIn(question: SeededQuestion, set: number): Checked {
    let found: string | undefined;
    const {failures} = guarded(() => {
      const machine = {open: (choice: RunChoice) => this.#run(choice), sourceOf: this.#sourceOf};
      found = shown(finished(makeQuestion(question, this.#scenario.choice, set, machine)));
      return {index: undefined, failures: []};
    });
    return {what: `seeded question ${question.name}, set ${set}`, index: undefined, failures, found};
  }

  #place(
    step: ScenarioStep,
    choice: RunChoice,
  ): {readonly index: number | undefined; readonly failures: readonly string[]} {
    const run = this.#run(choice);
    if (choice.technique !== this.#technique) this.#here = run.start;
    this.#technique = choice.technique;
    const found = findPlace(run, step.place, this.#here);
    if (!found.ok) return {index: undefined, failures: [found.why]};
    this.#here = found.index;
    return {index: found.index, failures: step.expect === undefined ? [] : failures(run, step.expect, found.index)};
  }

  #trial(trial: Trial, choice: RunChoice): readonly string[] {
    return guarded(() => {
      const run = this.#run(trialChoice(choice, trial, this.#sourceOf));
      const end = findPlace(run, {from: 'end', occurrence: 1}, 0);
      return {index: undefined, failures: end.ok ? failures(run, trial.expect, end.index) : [end.why]};
    }).failures;
  }

  #run(choice: RunChoice): ScenarioRun {
    const key = JSON.stringify([choice.technique, choice.guest, choice.edited, choice.switches]);
    const run = this.#runs.get(key) ?? this.#open(choice);
    this.#runs.set(key, run);
    return run;
  }
}

function finished<T>(slices: Generator<unknown, T>): T {
  for (;;) {
    const next = slices.next();
    if (next.done === true) return next.value;
  }
}

/** `which exits? [cpuid] cli, nop (3 runs)` */
const shown = ({text, choices, answer, runs}: MadeQuestion): string =>
  `${text.replaceAll(/\s+/g, ' ').trim()} ${choices.map((each, index) => (index === answer ? `[${each}]` : each)).join(' | ')} (${runs} ${runs === 1 ? 'run' : 'runs'})`;

type Found = {readonly index: number | undefined; readonly failures: readonly string[]};

/** A machine or a switch that does not exist is something that the scenario says. */
function guarded(find: () => Found): Found {
  try {
    return find();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return {index: undefined, failures: [error.message]};
  }
}
