// What the page asks of the worker for questions whose values are drawn. Everything that crosses is plain data.

import type {RunChoice} from '@hyperscope/trace';
import type {MadeQuestion, Making, SeededQuestion} from '@hyperscope/walkthroughs';

/** A question, what is run where it says nothing else, the guest's own text, and the number of the set. */
export interface QuestionRequest {
  readonly question: SeededQuestion;
  readonly base: RunChoice;
  readonly source: string;
  readonly set: number;
}

export type MakingSlice =
  | {readonly kind: 'making'; readonly making: Making}
  | {readonly kind: 'made'; readonly made: MadeQuestion}
  /** It cannot be made: a sentence. */
  | {readonly kind: 'trouble'; readonly why: string};

export interface QuestionClient {
  /** Begins with a question; one that is being made is given up. */
  begin(request: QuestionRequest): Promise<void>;
  /** A slice of the work: until it is over, or some ten thousand steps are recorded. */
  next(): MakingSlice;
}
