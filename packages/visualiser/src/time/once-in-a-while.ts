// What follows something that happens in every picture but takes longer than one: done at once, then at most once in a while,
// and one last time when it has ended. Never twice at the same time.

export class OnceInAWhile {
  readonly #pause: number;
  readonly #follow: () => Promise<void>;
  #standing: 'idle' | 'resting' | 'wanted' = 'idle';

  /** `pause`: between the end of one and the beginning of the next, in milliseconds. `follow` deals with its own errors. */
  constructor(pause: number, follow: () => Promise<void>) {
    this.#pause = pause;
    this.#follow = follow;
  }

  /** It has happened. */
  happened(): void {
    if (this.#standing === 'idle') void this.#run();
    else this.#standing = 'wanted';
  }

  async #run(): Promise<void> {
    this.#standing = 'resting';
    await this.#follow();
    setTimeout(() => {
      const isWanted = this.#standing === 'wanted';
      this.#standing = 'idle';
      if (isWanted) void this.#run();
    }, this.#pause);
  }
}
