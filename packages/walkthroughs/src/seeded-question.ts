// A question whose values are drawn: the same set has the same values everywhere, another set has others. Which answer is right
// stands nowhere; the machine is run with the values, and what it does is right (make-question.ts).

import type {EventPattern, Expectation, Place, Trial} from './scenario.js';

/** What a name stands for in the texts of a question, as `{name}`. */
export type Draw =
  | {readonly kind: 'list'; readonly name: string; readonly values: readonly string[]}
  /** Whole numbers, both ends included. */
  | {
      readonly kind: 'range';
      readonly name: string;
      readonly from: number;
      readonly to: number;
      readonly step: number;
    };

/** What is read of a finished run. */
export type Reading =
  | {readonly kind: 'register'; readonly register: string; readonly form: 'decimal' | 'hex'; readonly place: Place}
  | {readonly kind: 'count'; readonly event: EventPattern}
  | {readonly kind: 'printed'};

export type Ask =
  /** A value of the run; what the same run gives with other values drawn is there to choose as well. */
  | {readonly kind: 'value'; readonly read: Reading}
  /** Which of these sentences is true of the run: exactly one. */
  | {readonly kind: 'outcome'; readonly outcomes: readonly Outcome[]}
  /** For which value of a drawn list this is true: the machine is run with one after the other. */
  | {readonly kind: 'which'; readonly draw: string; readonly choices: number; readonly expect: Expectation};

export interface Outcome {
  readonly says: string;
  readonly expect: Expectation;
}

export interface SeededQuestion extends Omit<Trial, 'expect'> {
  /** Decides what is drawn, together with the number of the set. */
  readonly name: string;
  /** Markdown, with names in braces. */
  readonly text: string;
  readonly draws: readonly Draw[];
  readonly ask: Ask;
  /** Why, shown afterwards; it has `{answer}` as well. Markdown. */
  readonly because: string;
}

/** Numbers of sets: 1 is what everybody sees first. */
export const SETS = {first: 1, last: 999_999} as const;
