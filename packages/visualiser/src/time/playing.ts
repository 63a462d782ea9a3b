// Play: steps at the chosen speed, and a stay where something happened. Slow speeds show every step; fast ones as many as the
// screen has pictures for, yet never past an event that one is to stay at. For a picture of the screen one moment is asked for
// and no more: it is computed in the worker while the page draws the one before.

import {SPEEDS, STAYS} from '@hyperscope/elements';
import {isBoundary, type Moment, PLAY_STOPS, type PlayStop} from '@hyperscope/trace';
import type {LabStore} from '../lab-store.js';

/** Between two pictures where the reader wants little motion, in milliseconds. */
const REDUCED = 250;
/** What is due sooner than this waits for the next picture, in milliseconds: timers are not that exact. */
const SOON = 20;
/** The beat of steps that are no instructions, at ×1, in milliseconds. */
const BEAT = 320;
const FIRST_RATE = 3;

export interface PlayedLab {
  readonly store: LabStore;
  /** Whether a move is waiting or under way: then a beat is left out. */
  readonly busy: () => boolean;
  /** One step of the chosen size. */
  readonly step: () => void;
  /** Up to so many instructions on, stopping short after the first of `stops`. */
  readonly advance: (steps: number, stops: readonly PlayStop[]) => void;
  readonly motion: () => 'full' | 'reduced';
  /** Calls back right before the next picture is drawn; gives what takes the call back. Never, while nobody can see the page. */
  readonly nextFrame: (run: () => void) => () => void;
}

export class Playing {
  readonly #lab: PlayedLab;
  #cancel: () => void = () => undefined;
  /** When the last step was due. */
  #due = 0;
  /** The state at which the last stay was made. */
  #stayedAt = -1;

  constructor(lab: PlayedLab) {
    this.#lab = lab;
  }

  toggle(): void {
    const {store} = this.#lab;
    if (store.state.playing) return this.pause();
    // Whoever presses Play at a stop goes on from there.
    this.#stayedAt = store.state.moment?.index ?? -1;
    this.#due = performance.now() - BEAT;
    store.set({playing: true});
    this.#beat();
  }

  pause(): void {
    this.#cancel();
    if (this.#lab.store.state.playing) this.#lab.store.set({playing: false});
  }

  #beat(): void {
    const {store, busy} = this.#lab;
    const {moment, time, granularity} = store.state;
    if (moment !== undefined && moment.finished && moment.index >= moment.length) return this.pause();
    if (busy()) return this.#again(0);
    const stay = moment === undefined || moment.index === this.#stayedAt ? 0 : stayAt(moment, time.speed.stays);
    if (moment !== undefined && stay > 0) {
      this.#stayedAt = moment.index;
      if (stay === Number.POSITIVE_INFINITY) return this.pause();
      this.#due = performance.now() + stay;
      return this.#again(stay);
    }
    const rate = SPEEDS.find(({name}) => name === time.speed.speed)?.stepsPerSecond ?? FIRST_RATE;
    const interval = granularity === 'instruction' ? 1000 / rate : (BEAT * FIRST_RATE) / rate;
    const now = performance.now();
    const steps = Math.floor((now - this.#due) / interval);
    if (steps < 1) return this.#again(Math.min(interval - (now - this.#due), 500));
    // After a pause of the page one does not catch up with what was missed.
    this.#due = now - this.#due > 1000 ? now : this.#due + steps * interval;
    if (granularity === 'instruction') this.#lab.advance(steps, stopsOf(time.speed.stays));
    else this.#lab.step();
    this.#again(this.#lab.motion() === 'full' ? 0 : REDUCED);
  }

  /** The next beat: with a picture of the screen, the first one after so many milliseconds. */
  #again(after: number): void {
    const atFrame = (): void => {
      this.#cancel = this.#lab.nextFrame(() => this.#beat());
    };
    if (after < SOON) return atFrame();
    const timer = setTimeout(atFrame, after - SOON / 2);
    this.#cancel = () => clearTimeout(timer);
  }
}

/** What Play must not run past. */
const stopsOf = (stays: Readonly<Record<PlayStop, keyof typeof STAYS>>): readonly PlayStop[] =>
  PLAY_STOPS.filter(stop => STAYS[stays[stop]] > 0);

/** How long to stay at a moment, by what happened in the step that led there. */
export function stayAt(moment: Pick<Moment, 'events'>, stays: Readonly<Record<PlayStop, keyof typeof STAYS>>): number {
  const here = PLAY_STOPS.filter(stop => moment.events.some(event => isBoundary(event, stop)));
  return Math.max(0, ...here.map(stop => STAYS[stays[stop]]));
}
