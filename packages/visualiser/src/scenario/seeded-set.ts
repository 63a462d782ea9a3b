// The seeded questions of a scenario in one set: each is made by running the machine, one after the other, in slices between
// which the page stays alive and the reader may stop.

import {SETS} from '@hyperscope/walkthroughs';
import type {MadeQuestion, Making, Scenario, SeededQuestion} from '@hyperscope/walkthroughs';
import type {MakingSlice, QuestionRequest} from './question-client.js';

/** How far one question is. */
export type Seeded =
  | {readonly kind: 'waiting'}
  | {readonly kind: 'making'; readonly making: Making | undefined}
  | {readonly kind: 'made'; readonly made: MadeQuestion}
  | {readonly kind: 'stopped'}
  | {readonly kind: 'trouble'; readonly why: string};

/** Makes a question slice by slice. */
export interface QuestionMaking {
  begin(request: QuestionRequest): Promise<void>;
  next(): Promise<MakingSlice>;
}

export interface SeededSurroundings {
  /** Fetches what makes questions: once. */
  readonly maker: () => Promise<QuestionMaking>;
  /** The guest's own text. */
  readonly source: () => string;
  readonly changed: () => void;
}

const NOT_MADE = 'The questions could not be fetched. Check the connection to where this page came from.';

export class SeededSet {
  readonly #scenario: Scenario;
  readonly #around: SeededSurroundings;
  readonly #states = new Map<string, Seeded>();
  #set: number;
  /** Counts beginnings: what comes of an earlier one is dropped. */
  #round = 0;
  /** What is under way. */
  #work: Promise<void> | undefined = undefined;

  constructor(scenario: Scenario, set: number, around: SeededSurroundings) {
    this.#scenario = scenario;
    this.#set = set;
    this.#around = around;
  }

  /** The number of the set. */
  get set(): number {
    return this.#set;
  }
  get questions(): readonly SeededQuestion[] {
    return this.#scenario.seeded;
  }
  of(question: SeededQuestion): Seeded {
    return this.#states.get(question.name) ?? {kind: 'waiting'};
  }
  /** Whether the machine is at work for them. */
  get isMaking(): boolean {
    return [...this.#states.values()].some(({kind}) => kind === 'making');
  }

  /** Another set: nothing of the last one is kept. */
  choose(set: number): void {
    this.#giveUp();
    this.#states.clear();
    this.#set = Math.max(SETS.first, Math.min(SETS.last, Math.trunc(set)));
    this.#around.changed();
  }

  /** Makes what is not made yet. Resolves when all are, or somebody stopped it. */
  async make(): Promise<void> {
    if (this.#work !== undefined) return this.#work;
    const round = ++this.#round;
    const work = this.#makeAll(round).finally(() => {
      if (round === this.#round) this.#work = undefined;
    });
    this.#work = work;
    return work;
  }

  async #makeAll(round: number): Promise<void> {
    for (const question of this.questions) {
      const {kind} = this.of(question);
      if (kind === 'made') continue;
      await this.#makeOne(question, round);
      if (round !== this.#round) return;
    }
  }

  /** What is being made is given up. */
  stop(): void {
    this.#giveUp();
    for (const question of this.questions)
      if (this.of(question).kind !== 'made') this.#states.set(question.name, {kind: 'stopped'});
    this.#around.changed();
  }

  #giveUp(): void {
    this.#round++;
    this.#work = undefined;
  }

  async #makeOne(question: SeededQuestion, round: number): Promise<void> {
    this.#tell(question, {kind: 'making', making: undefined}, round);
    let maker: QuestionMaking;
    try {
      maker = await this.#around.maker();
      await maker.begin({
        question,
        base: this.#scenario.choice,
        source: this.#around.source(),
        set: this.#set,
      });
    } catch {
      // The worker's part is fetched now for the first time: the page may be offline without having kept it.
      return this.#tell(question, {kind: 'trouble', why: NOT_MADE}, round);
    }
    while (round === this.#round) {
      const slice = await maker.next();
      this.#tell(question, slice, round);
      if (slice.kind !== 'making') return;
    }
  }

  #tell(question: SeededQuestion, state: Seeded, round: number): void {
    if (round !== this.#round) return;
    this.#states.set(question.name, state);
    this.#around.changed();
  }
}
