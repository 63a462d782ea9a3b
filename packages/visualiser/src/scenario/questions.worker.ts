// The half of the seeded questions that runs in a worker: machines of their own, apart from the lab's.

import {UserError} from '@hyperscope/base';
import {FetchingShelf, SimulationHost, openScenarioRun} from '@hyperscope/simulation';
import {makeQuestion, techniquesOf} from '@hyperscope/walkthroughs/questions';
import type {MadeQuestion, Making} from '@hyperscope/walkthroughs';
import type {MakingSlice, QuestionClient, QuestionRequest} from './question-client.js';

export class QuestionLab implements QuestionClient {
  readonly #host = new SimulationHost(new FetchingShelf());
  #slices: Generator<Making, MadeQuestion> | undefined = undefined;

  async begin({question, base, source, set}: QuestionRequest): Promise<void> {
    this.#slices = undefined;
    for (const technique of techniquesOf(question, base))
      await this.#host.prepare({guest: {of: base.guest, source}, technique});
    this.#slices = makeQuestion(question, base, set, {
      open: choice => openScenarioRun(this.#host, choice),
      sourceOf: () => source,
    });
  }

  next(): MakingSlice {
    try {
      const slice = this.#slices?.next();
      if (slice === undefined) return {kind: 'trouble', why: 'No question was begun.'};
      if (slice.done !== true) return {kind: 'making', making: slice.value};
      this.#slices = undefined;
      return {kind: 'made', made: slice.value};
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return {kind: 'trouble', why: error.message};
    }
  }
}
