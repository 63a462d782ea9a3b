// Moving in time, as the lab's commands ask for it: steps of every size, runs to breakpoints, play, find, selection, and what
// of it all the timeline shows.

import {neighbouringSpeed, type PlaySpeed} from '@hyperscope/elements';
import type {Breakpoint, Moment, StepSize} from '@hyperscope/trace';
import type {Remote} from 'comlink';
import type {LabClient} from '../lab-client.js';
import type {LabStore} from '../lab-store.js';
import type {MoveQueue} from '../move-queue.js';
import {MicroStepping} from './micro-stepping.js';
import {Playing} from './playing.js';
import {Running, toggled} from './running.js';
import {Searching} from './searching.js';
import {newRun, type TimeState} from './time-state.js';
import {TimelineLook} from './timeline-look.js';

export interface TimeSurroundings {
  readonly store: LabStore;
  readonly client: Remote<LabClient>;
  readonly moves: MoveQueue;
  /** Shows a moment that the playhead has come to. */
  readonly show: (moment: Moment) => void;
  readonly motion: () => 'full' | 'reduced';
}

export class LabTime {
  readonly timeline: TimelineLook;
  readonly #around: TimeSurroundings;
  readonly #searching: Searching;
  readonly #running: Running;
  readonly #micro: MicroStepping;
  readonly #playing: Playing;
  /** Where the playhead was last. */
  #index = -1;

  constructor(around: TimeSurroundings) {
    const {store, client, moves} = around;
    this.#around = around;
    this.timeline = new TimelineLook(store, client);
    this.#searching = new Searching(store, client);
    this.#running = new Running(store, client);
    this.#micro = new MicroStepping(store, client);
    this.#playing = new Playing({
      store,
      busy: () => moves.busy,
      step: () => this.step('forward'),
      advance: (steps, stops) =>
        this.#move('step', async () => client.play(store.state.moment?.index ?? 0, steps, stops)),
      motion: around.motion,
      nextFrame: run => {
        const frame = requestAnimationFrame(run);
        return () => cancelAnimationFrame(frame);
      },
    });
  }

  /** Another run is opened. */
  reset(): void {
    this.cancel();
    this.#playing.pause();
    this.#index = -1;
    this.timeline.reset();
    this.#set(newRun(this.#state));
  }

  /** The playhead stands elsewhere: the inside of an instruction is left. */
  moved(moment: Moment): void {
    const {micro} = this.#state;
    if (micro !== undefined && micro.index !== moment.index) this.#micro.leave();
    // Whoever looks at another part of the run is left there until the playhead moves.
    if (moment.index === this.#index) return;
    this.#index = moment.index;
    this.timeline.follow(moment.next?.cycle ?? this.#around.store.state.endCycle);
  }

  step(direction: 'forward' | 'back', size: StepSize = this.#around.store.state.granularity): void {
    if (size === 'micro') this.#move('step', () => this.#micro.step(direction));
    else this.#move('step', () => this.#around.client.step(direction, size));
  }

  /** To the next or the previous breakpoint; without any, to the end or the beginning. */
  run(direction: 'forward' | 'back'): void {
    this.#move('step', () => this.#running.run(direction));
  }

  /** Ends what takes long: a run, a search. True where something was going on. */
  cancel(): boolean {
    const wasRunning = this.cancelRun();
    return this.#searching.cancel() || wasRunning;
  }

  /** Ends a run where it is; whoever moves on does not wait for it. */
  cancelRun(): boolean {
    this.#running.cancel();
    return this.#state.busy !== undefined;
  }

  toggleBreakpoint(breakpoint: Breakpoint): void {
    const breakpoints = toggled(this.#state.breakpoints, breakpoint);
    this.#set({breakpoints, isBreakpointsOpen: true});
  }

  /** A breakpoint at the instruction under the playhead. */
  toggleBreakpointHere(): void {
    const {moment} = this.#around.store.state;
    if (moment === undefined) return;
    const address = isGuests(moment) ? (moment.next?.rip ?? moment.last?.rip) : guestRip(moment);
    if (address !== undefined) this.toggleBreakpoint({kind: 'address', address});
  }

  showBreakpoints(): void {
    this.#set({isBreakpointsOpen: !this.#state.isBreakpointsOpen});
  }

  togglePlay(): void {
    this.#playing.toggle();
  }
  pause(): void {
    this.#playing.pause();
  }
  setSpeed(speed: PlaySpeed): void {
    this.#set({speed});
  }
  changeSpeed(by: 1 | -1): void {
    const {speed} = this.#state;
    this.#set({speed: {...speed, speed: neighbouringSpeed(speed.speed, by)}});
  }

  openFinds(): void {
    this.#searching.open();
  }
  closeFinds(): void {
    this.#searching.close();
  }
  find(text: string): void {
    void this.#searching.find(text).catch((error: unknown) => this.#around.store.fail(error));
  }
  nextFind(direction: 'forward' | 'back'): void {
    const index = this.#searching.next(direction);
    if (index !== undefined) this.#move('seek', () => this.#around.client.seek(index));
  }

  /** Totals of a stretch of cycles; undefined takes the selection away. */
  select(span: {readonly from: number; readonly to: number} | undefined): void {
    if (span === undefined) return this.#set({selection: undefined});
    const {client, store} = this.#around;
    void client.selection(span.from, span.to).then(
      selection => this.#set({selection}),
      (error: unknown) => store.fail(error),
    );
  }

  /** How much is recorded; `recording` as it is now. */
  recorded(change: Pick<TimeState, 'size' | 'recording'>): void {
    this.#set(change);
  }

  #move(kind: 'step' | 'seek', run: () => Promise<Moment | undefined>): void {
    const {moves, show} = this.#around;
    moves.add(kind, async () => {
      const moment = await run();
      if (moment !== undefined) show(moment);
    });
  }

  get #state(): TimeState {
    return this.#around.store.state.time;
  }
  #set(change: Partial<TimeState>): void {
    this.#around.store.set({time: {...this.#state, ...change}});
  }
}

const isGuests = (moment: Moment): boolean => moment.who === 'guest-user' || moment.who === 'guest-kernel';

/** Where the guest stands while its host runs. */
function guestRip(moment: Moment): bigint | undefined {
  const saved = moment.vmcs.find(row => row.name === 'GUEST_RIP')?.value ?? '';
  return /^0x[0-9a-f]+$/i.test(saved) ? BigInt(saved) : undefined;
}
