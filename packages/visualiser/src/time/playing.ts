// Play: one step after another at a beat, until the end, a pause, or another command.

import type {LabStore} from '../lab-store.js';

/** Between two steps of Play, in milliseconds. */
const BEAT = 320;

export interface PlayedLab {
  readonly store: LabStore;
  /** Whether a move is waiting or under way: then a beat is left out. */
  readonly busy: () => boolean;
  readonly step: () => void;
}

export class Playing {
  readonly #lab: PlayedLab;
  #timer: ReturnType<typeof setTimeout> | undefined = undefined;

  constructor(lab: PlayedLab) {
    this.#lab = lab;
  }

  toggle(): void {
    if (this.#lab.store.state.playing) this.pause();
    else {
      this.#lab.store.set({playing: true});
      this.#beat();
    }
  }

  pause(): void {
    clearTimeout(this.#timer);
    if (this.#lab.store.state.playing) this.#lab.store.set({playing: false});
  }

  #beat(): void {
    const {moment} = this.#lab.store.state;
    if (moment !== undefined && moment.finished && moment.index >= moment.length) {
      this.pause();
      return;
    }
    if (!this.#lab.busy()) this.#lab.step();
    this.#timer = setTimeout(() => this.#beat(), BEAT);
  }
}
