// Play, for machines beside each other: the guest's instructions go by at a speed, on all of them.

import {FIRST_SPEED, SPEEDS, neighbouringSpeed, type SpeedName} from '@hyperscope/elements';

/** Between two pictures, in milliseconds: few where the reader wants little motion. */
const FRAME = {full: 33, reduced: 250} as const;

export interface PlayedLineup {
  readonly place: () => {readonly instruction: number; readonly instructions: number};
  readonly go: (instruction: number) => void;
  /** Whether a move is under way: then a beat is left out. */
  readonly isMoving: () => boolean;
  readonly motion: () => keyof typeof FRAME;
  /** Called when Play begins, ends, or changes its speed. */
  readonly changed: () => void;
}

export class LineupPlaying {
  readonly #lineup: PlayedLineup;
  #timer: ReturnType<typeof setTimeout> | undefined = undefined;
  #speed: SpeedName = FIRST_SPEED.speed;
  /** When the last instruction was due. */
  #due = 0;

  constructor(lineup: PlayedLineup) {
    this.#lineup = lineup;
  }

  get isPlaying(): boolean {
    return this.#timer !== undefined;
  }
  get speed(): SpeedName {
    return this.#speed;
  }

  toggle(): void {
    if (this.isPlaying) return this.pause();
    this.#due = performance.now();
    this.#beat();
    this.#lineup.changed();
  }

  pause(): void {
    if (!this.isPlaying) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#lineup.changed();
  }

  changeSpeed(by: 1 | -1): void {
    this.#speed = neighbouringSpeed(this.#speed, by);
    this.#lineup.changed();
  }

  #beat(): void {
    const {place, go, isMoving, motion} = this.#lineup;
    const {instruction, instructions} = place();
    if (instruction >= instructions) return this.pause();
    const interval = 1000 / (SPEEDS.find(({name}) => name === this.#speed)?.stepsPerSecond ?? 1);
    const now = performance.now();
    const steps = isMoving() ? 0 : Math.floor((now - this.#due) / interval);
    if (steps > 0) {
      // After a pause of the page one does not catch up with what was missed.
      this.#due = now - this.#due > 1000 + interval ? now : this.#due + steps * interval;
      go(Math.min(instruction + steps, instructions));
    }
    this.#timer = setTimeout(() => this.#beat(), Math.max(FRAME[motion()], Math.min(interval, 250)));
  }
}
