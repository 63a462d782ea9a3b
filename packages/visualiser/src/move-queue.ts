// Moves of the playhead, one at a time and in order. While a drag waits for an answer only its newest place is kept.

interface Move {
  readonly kind: 'step' | 'seek';
  readonly run: () => Promise<void>;
}

export class MoveQueue {
  #waiting: Move[] = [];
  #busy = false;
  readonly #failed: (error: unknown) => void;

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Adds a move. A 'seek' replaces the seeks that have not begun: where it leads does not depend on them. */
  add(kind: Move['kind'], run: () => Promise<void>): void {
    if (kind === 'seek') this.#waiting = this.#waiting.filter(move => move.kind !== 'seek');
    this.#waiting.push({kind, run});
    if (!this.#busy) void this.#drain();
  }

  /** Forgets what has not begun. */
  clear(): void {
    this.#waiting = [];
  }

  get busy(): boolean {
    return this.#busy || this.#waiting.length > 0;
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    for (let move = this.#waiting.shift(); move !== undefined; move = this.#waiting.shift()) {
      try {
        await move.run();
      } catch (error) {
        this.#failed(error);
      }
    }
    this.#busy = false;
  }
}
