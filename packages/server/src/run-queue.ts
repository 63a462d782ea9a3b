// One run at a time: two guests measured at once would disturb each other. A few may wait; more are refused at once.

import {UserError} from '@hyperscope/base';

export class RunQueue {
  readonly #capacity: number;
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #running = 0;

  /** `capacity`: how many runs may wait while one is going on. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Runs that were admitted and are not over. */
  get length(): number {
    return this.#waiting + this.#running;
  }

  /**
   * Runs `job` when its turn comes and gives its result. A job whose `signal` aborts while it waits never starts.
   * @throws UserError 'busy' when too many wait already.
   * @throws UserError 'cancelled' when `signal` aborted before the job's turn.
   */
  async add<T>(job: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#waiting + this.#running > this.#capacity) {
      throw new UserError(
        'busy',
        `${this.length} runs are going on or waiting on this machine: try again in a few seconds.`,
      );
    }
    this.#waiting++;
    const turn = this.#tail.then(async () => {
      this.#waiting--;
      if (signal.aborted) throw new UserError('cancelled', 'The client went away before its run began.');
      this.#running++;
      try {
        return await job();
      } finally {
        this.#running--;
      }
    });
    this.#tail = turn.catch(() => undefined); // A failed job must not fail the next one; its own caller hears of it.
    return turn;
  }
}
