// A scenario while it is played: which part is shown, what was answered, what is broken. Parts are the introduction, the steps and
// the questions, in this order; those whose values are drawn come last. It moves the lab, and knows no page.

import {SETS, choiceAt, trialChoice} from '@hyperscope/walkthroughs';
import type {
  BreakIt,
  MadeQuestion,
  Place,
  Question,
  Scenario,
  ScenarioStep,
  SeededQuestion,
} from '@hyperscope/walkthroughs';
import type {RunChoice} from '@hyperscope/trace';
import type {RunChange} from '../switches/run-change.js';
import {keepProgress, readProgress} from './progress.js';
import {SeededSet} from './seeded-set.js';
import type {QuestionMaking} from './seeded-set.js';
import {StepComparisons} from './step-comparisons.js';
import type {ComparedLab} from './step-comparisons.js';

/** What a player needs of the lab. */
export interface PlayedLab extends ComparedLab {
  /** What is open. */
  choice(): RunChoice;
  /** Opens a run and resolves when it can be moved in; gives a sentence where it cannot be opened. */
  open(choice: RunChoice): Promise<string | undefined>;
  /** The state of a place, or a sentence. */
  find(place: Place, here: number): Promise<{readonly index: number} | {readonly why: string}>;
  /** Moves the playhead. */
  seek(index: number): void;
  /** The state at which the guest begins. */
  start(): number;
  /** The guest's own source. */
  source(): string;
  /** What the run that is open does otherwise than the one before it. */
  change(): Promise<RunChange | undefined>;
  /** Fetches what makes seeded questions. */
  questions(): Promise<QuestionMaking>;
  /** Shows a tab of the inspector. */
  panel(name: string): void;
}

/** What was broken, while it is. */
export interface Broken {
  readonly breakIt: BreakIt;
  /** Undefined while it is being run. */
  readonly change: RunChange | undefined;
  readonly isRunning: boolean;
}

export class ScenarioPlayer {
  readonly scenario: Scenario;
  readonly #lab: PlayedLab;
  readonly #changed: () => void;
  readonly seeded: SeededSet;
  readonly compared: StepComparisons;
  /** 0 is the introduction; after the steps come the questions. */
  part = 0;
  /** Whether the place of the step is shown; a prediction comes before it. */
  isRevealed = false;
  answers: Readonly<Record<string, number>>;
  broken: Broken | undefined = undefined;
  /** A sentence about what went wrong. */
  trouble = '';
  /** The state of each step's place in the run that the step is about. */
  readonly #places = new Map<number, number>();
  /** Counts moves: an answer that comes too late is dropped. */
  #move = 0;

  /** `set`: of the seeded questions, as a link names it; else the one that was shown last. */
  constructor(scenario: Scenario, lab: PlayedLab, changed: () => void, set?: number) {
    this.scenario = scenario;
    this.#lab = lab;
    this.#changed = changed;
    const kept = readProgress(scenario.id);
    this.compared = new StepComparisons(lab, changed);
    this.answers = kept.answers;
    let maker: Promise<QuestionMaking> | undefined;
    this.seeded = new SeededSet(scenario, set ?? kept.set ?? SETS.first, {
      maker: async () => (maker ??= lab.questions()),
      source: () => lab.source(),
      changed,
    });
  }

  get parts(): number {
    return 1 + this.scenario.steps.length + (this.scenario.questions.length + this.scenario.seeded.length > 0 ? 1 : 0);
  }
  get step(): ScenarioStep | undefined {
    return this.scenario.steps[this.part - 1];
  }
  get isAtQuestions(): boolean {
    return this.part > this.scenario.steps.length;
  }

  /** Begins at a part. */
  async start(part = 0): Promise<void> {
    await this.go(part);
  }

  /** On: a prediction is revealed first, and arrows are told. */
  async next(): Promise<void> {
    if (this.broken !== undefined) return this.repair();
    if (this.step?.prediction !== undefined && !this.isRevealed) return this.reveal();
    if (this.step?.arrowGuess !== undefined && !this.compared.areShown) return this.compared.show();
    if (this.part + 1 < this.parts) await this.go(this.part + 1);
  }
  async previous(): Promise<void> {
    if (this.broken !== undefined) return this.repair();
    if (this.part > 0) await this.go(this.part - 1);
  }

  /** Shows a part. A step whose prediction was not made yet shows the place before it, and asks. */
  async go(part: number): Promise<void> {
    this.part = Math.max(0, Math.min(this.parts - 1, Math.trunc(part)));
    this.broken = undefined;
    this.trouble = '';
    const {step} = this;
    this.isRevealed = step?.prediction === undefined || this.answers[this.key('prediction')] !== undefined;
    this.#keep();
    this.#changed();
    const shown = this.isRevealed ? this.part - 1 : this.part - 2;
    if (!this.isAtQuestions && this.seeded.isMaking) this.seeded.stop();
    await this.#show(Math.min(shown, this.scenario.steps.length - 1));
    if (this.isAtQuestions) void this.seeded.make();
  }

  /** Moves the playhead in the run that is open. */
  seek(index: number): void {
    this.#lab.seek(index);
  }

  /** The place that was predicted. */
  async reveal(): Promise<void> {
    this.isRevealed = true;
    this.#changed();
    await this.#show(this.part - 1);
  }

  /** `prediction`, or the number of a question. */
  key(question: number | 'prediction'): string {
    return question === 'prediction' ? `step-${this.part}` : `question-${question}`;
  }
  /** Of a seeded question in the set that is shown. */
  seededKey({name}: SeededQuestion): string {
    return `set-${this.seeded.set}-${name}`;
  }
  /** Another set of the seeded questions. */
  async chooseSet(set: number): Promise<void> {
    this.seeded.choose(set);
    this.#keep();
    await this.seeded.make();
  }
  /** Opens the run that shows a seeded question’s answer, at its place. */
  async showRun({shown: {choice, place}}: MadeQuestion): Promise<void> {
    const move = ++this.#move;
    const trouble = await this.#open(choice);
    if (move !== this.#move) return;
    this.trouble = trouble ?? '';
    if (trouble === undefined) await this.#seekIn(place, move);
    this.#changed();
  }
  async answer(key: string, choice: number): Promise<void> {
    if (this.answers[key] !== undefined) return;
    this.answers = {...this.answers, [key]: choice};
    this.#keep();
    this.#changed();
    if (key === this.key('prediction')) await this.reveal();
  }
  /** All answers are forgotten. */
  async restart(): Promise<void> {
    this.answers = {};
    await this.go(0);
  }
  /** Of those that were answered, how many are right. */
  score(): {readonly right: number; readonly answered: number; readonly all: number} {
    const {steps, questions} = this.scenario;
    const asked: readonly (readonly [string, Pick<Question, 'answer'>])[] = [
      ...steps.flatMap(({prediction}, index) =>
        prediction === undefined ? [] : [[`step-${index + 1}`, prediction] as const],
      ),
      ...questions.map((question, index) => [`question-${index}`, question] as const),
      ...this.seeded.questions.flatMap(question => {
        const state = this.seeded.of(question);
        return state.kind === 'made' ? [[this.seededKey(question), state.made] as const] : [];
      }),
    ];
    const answered = asked.filter(([key]) => this.answers[key] !== undefined);
    return {
      right: answered.filter(([key, question]) => this.answers[key] === question.answer).length,
      answered: answered.length,
      all: asked.length,
    };
  }

  /** Runs what is broken, and shows what comes of it. */
  async break(breakIt: BreakIt): Promise<void> {
    const move = ++this.#move;
    this.broken = {breakIt, change: undefined, isRunning: true};
    this.trouble = '';
    this.#changed();
    const trouble = await this.#open(this.#trial(breakIt));
    if (move !== this.#move) return;
    if (trouble !== undefined) {
      this.broken = undefined;
      this.trouble = trouble;
      return this.#changed();
    }
    const change = await this.#lab.change();
    if (move !== this.#move) return;
    this.broken = {breakIt, change, isRunning: false};
    this.#changed();
    await this.#seekIn(this.step?.place, move);
  }

  #trial(breakIt: BreakIt): RunChoice {
    return trialChoice(choiceAt(this.scenario, this.part - 1), breakIt, () => this.#lab.source());
  }

  /** Back to the scenario's own run, at the step's place. */
  async repair(): Promise<void> {
    this.broken = undefined;
    this.#changed();
    await this.#show(this.part - 1);
  }

  /** The same place in a changed run, or its end where there is no such place. */
  async #seekIn(place: Place | undefined, move: number): Promise<void> {
    if (place === undefined) return;
    const found = await this.#lab.find({...place, from: place.from === 'end' ? 'end' : 'start'}, this.#lab.start());
    const end = 'index' in found ? found : await this.#lab.find({from: 'end', occurrence: 1}, 0);
    if (move === this.#move && 'index' in end) this.#lab.seek(end.index);
  }

  /** Opens the run of a step, if it is not open, and goes to its place; -1 is where the guest begins. */
  async #show(step: number): Promise<void> {
    const move = ++this.#move;
    const choice = choiceAt(this.scenario, Math.max(0, step));
    const trouble = isSame(choice, this.#lab.choice()) ? undefined : await this.#open(choice);
    if (move !== this.#move) return;
    if (trouble !== undefined) {
      this.trouble = trouble;
      return this.#changed();
    }
    const index = await this.#placeOf(step);
    if (move !== this.#move) return;
    const panel = this.scenario.steps[step]?.panel;
    if (panel !== undefined) this.#lab.panel(panel);
    if (index !== undefined) this.#lab.seek(index);
    this.#changed();
    await this.compared.load(this.scenario.steps[step]);
  }

  async #open(choice: RunChoice): Promise<string | undefined> {
    this.#places.clear();
    return this.#lab.open(choice);
  }

  /** Each place is looked for from the one before it, as far back as the machine is the same. */
  async #placeOf(step: number): Promise<number | undefined> {
    if (step < 0) return this.#lab.start();
    const known = this.#places.get(step);
    if (known !== undefined) return known;
    const wanted = this.scenario.steps[step];
    if (wanted === undefined) return undefined;
    const isFirst =
      choiceAt(this.scenario, step).technique !== choiceAt(this.scenario, step - 1).technique || step === 0;
    const here = isFirst ? this.#lab.start() : await this.#placeOf(step - 1);
    if (here === undefined) return undefined;
    const found = await this.#lab.find(wanted.place, here);
    if ('why' in found) {
      this.trouble = found.why;
      return undefined;
    }
    this.#places.set(step, found.index);
    return found.index;
  }

  #keep(): void {
    keepProgress(this.scenario.id, {part: this.part, answers: this.answers, set: this.seeded.set});
  }
}

function isSame(a: RunChoice, b: RunChoice): boolean {
  const text = ({technique, guest, edited, switches = {}}: RunChoice): string =>
    JSON.stringify([technique, guest, edited, Object.entries(switches).toSorted(([x], [y]) => (x < y ? -1 : 1))]);
  return text(a) === text(b);
}
