// A few runs at a time, by default one: two guests measured at once would disturb each other. Some may wait, and are told
// their place in the line; more are refused at once.

import {UserError} from '@hyperscope/base';

export interface QueueLimits {
  /** Runs that go on at the same time. */
  readonly atOnce: number;
  /** Runs that may wait while those go on. */
  readonly waiting: number;
}

interface Waiting {
  readonly signal: AbortSignal;
  readonly onPlace: (place: number) => void;
  readonly start: () => void;
  readonly leave: () => void;
}

export class RunQueue {
  readonly #limits: QueueLimits;
  readonly #line: Waiting[] = [];
  #running = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  /** Runs that were admitted and are not over. */
  get length(): number {
    return this.#line.length + this.#running;
  }
  get waiting(): number {
    return this.#line.length;
  }
  get running(): number {
    return this.#running;
  }

  /**
   * Runs `job` when its turn comes and gives its result. `onPlace` is told each change of its place in the line: 1 is next,
   * 0 is running. A job whose `signal` aborts while it waits never starts.
   * @throws UserError 'busy' when too many wait already.
   * @throws UserError 'cancelled' when `signal` aborted before the job's turn.
   */
  async add<T>(
    job: () => Promise<T>,
    signal: AbortSignal,
    onPlace: (place: number) => void = () => undefined,
  ): Promise<T> {
    await this.#turn(signal, onPlace);
    onPlace(0);
    try {
      return await job();
    } finally {
      this.#running--;
      this.#next();
    }
  }

  /** Resolves when a place is free; it is taken then. */
  #turn(signal: AbortSignal, onPlace: (place: number) => void): Promise<void> {
    if (signal.aborted) throw leftBefore();
    if (this.#running < this.#limits.atOnce && this.#line.length === 0) {
      this.#running++;
      return Promise.resolve();
    }
    if (this.#line.length >= this.#limits.waiting) throw this.#busy();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        const at = this.#line.indexOf(waiting);
        if (at < 0) return;
        this.#line.splice(at, 1);
        this.#tellPlaces();
        reject(leftBefore());
      };
      const start = (): void => {
        signal.removeEventListener('abort', leave);
        this.#running++;
        resolve();
      };
      const waiting: Waiting = {signal, onPlace, start, leave};
      signal.addEventListener('abort', leave, {once: true});
      this.#line.push(waiting);
      onPlace(this.#line.length);
    });
  }

  #next(): void {
    while (this.#running < this.#limits.atOnce) {
      const first = this.#line.shift();
      if (first === undefined) return;
      first.start();
      this.#tellPlaces();
    }
  }

  #tellPlaces(): void {
    for (const [index, {onPlace}] of this.#line.entries()) onPlace(index + 1);
  }

  #busy(): UserError {
    return new UserError(
      'busy',
      `${this.length} runs are going on or waiting on this machine: try again in a few seconds.`,
    );
  }
}

const leftBefore = (): UserError => new UserError('cancelled', 'The client went away before its run began.');
