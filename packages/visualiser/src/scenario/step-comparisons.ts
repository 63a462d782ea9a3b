// What a step compares, while it is shown: the figures of its stretches, and the arrows that a reader chose and judged. Figures and
// arrows are of the run that is open.

import type {Arrow, Crossing, Measured, Measurement, NotMeasured, ScenarioStep} from '@hyperscope/walkthroughs';

export type MeasuredRow = Measured | NotMeasured;

/** What is needed of the lab. */
export interface ComparedLab {
  /** The stretches of the open run. */
  measure(measurement: Measurement): Promise<readonly MeasuredRow[]>;
  /** The ways that the processor took in the open run. */
  crossings(): Promise<readonly Crossing[]>;
}

/** A guess, as an answer is kept. */
export const ARROW_GUESS = {yes: 0, no: 1} as const;

export class StepComparisons {
  readonly #lab: ComparedLab;
  readonly #changed: () => void;
  #step: ScenarioStep | undefined;
  #rows: readonly MeasuredRow[] = [];
  crossings: readonly Crossing[] = [];
  /** The arrow whose question is shown. */
  chosen: Arrow | undefined;
  /** Whether all arrows are told. */
  areShown = false;

  constructor(lab: ComparedLab, changed: () => void) {
    this.#lab = lab;
    this.#changed = changed;
  }

  /** Counts for a step in the run that is open now. */
  async load(step: ScenarioStep | undefined): Promise<void> {
    if (step !== this.#step) {
      this.#step = step;
      this.#rows = [];
      this.crossings = [];
      this.chosen = undefined;
      this.areShown = false;
    }
    if (step?.measurement !== undefined && this.#rows.length === 0) {
      const rows = await this.#lab.measure(step.measurement);
      if (step === this.#step) this.#rows = rows;
    }
    if (step?.arrowGuess !== undefined && this.crossings.length === 0) {
      const crossings = await this.#lab.crossings();
      if (step === this.#step) this.crossings = crossings;
    }
    this.#changed();
  }

  /** The figures of a step; empty while they are being counted. */
  rowsOf(step: ScenarioStep): readonly MeasuredRow[] {
    return step === this.#step ? this.#rows : [];
  }
  choose(arrow: Arrow): void {
    this.chosen = arrow;
    this.#changed();
  }
  /** Tells all arrows. */
  show(): void {
    this.areShown = true;
    this.#changed();
  }
  /** How the open run took an arrow; undefined where it did not. */
  crossingOf({from, to}: Arrow): Crossing | undefined {
    return this.crossings.find(each => each.from === from && each.to === to);
  }
}

/** The key under which the guess about an arrow is kept. */
export const arrowKey = (part: number, {from, to}: Arrow): string => `arrow-${part}-${from}-${to}`;
