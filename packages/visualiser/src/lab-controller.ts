// The page's side of a session: turns commands into questions to the worker, in order, and keeps the answers.

import {STEP_SIZES, type StepSize, type Moment, type RunChoice} from '@hyperscope/trace';
import type {Remote} from 'comlink';
import {machineFor, whyNotOn} from './guest-machines.js';
import type {LabClient, TechniqueEntry} from './lab-client.js';
import {FIRST_STATE, type LabState} from './lab-state.js';
import {LabStore} from './lab-store.js';
import {MoveQueue} from './move-queue.js';
import {RealComparisonRun, type RealRunSurroundings} from './real-comparison.js';
import {LabTime} from './time/lab-time.js';
import {OnceInAWhile} from './time/once-in-a-while.js';

/** Steps recorded in one call: short enough that a click in between is answered at once. */
const SLICE = 10_000;
/** Between two pictures of a run that is being recorded, in milliseconds. */
const REFRESH = 250;

export interface LabSurroundings extends RealRunSurroundings {
  /** How much motion the reader wants. */
  readonly motion?: () => 'full' | 'reduced';
  /** Called after each change of the state. */
  readonly changed: (state: LabState) => void;
}

/** What to open; without a step, where the guest begins. */
export interface Opening extends RunChoice {
  readonly step?: number | 'end' | undefined;
}

/** Called when what was opened can be moved in; or with the sentence why it cannot be opened, and the old run stays. */
export type Shown = (trouble: string | undefined) => void;

export class LabController {
  readonly #store: LabStore;
  readonly #client: Remote<LabClient>;
  readonly #moves: MoveQueue;
  /** Steps, runs, play, find, selection. */
  readonly time: LabTime;
  readonly #real: RealComparisonRun;
  /** Told after moments that were recorded on the way, of which Play shows one in every picture. */
  readonly #growth = new OnceInAWhile(REFRESH, async () => this.#grown().catch((error: unknown) => this.fail(error)));
  /** Counts openings: what belongs to an earlier one is dropped. */
  #opening = 0;

  constructor(around: LabSurroundings) {
    const store = new LabStore(around.changed);
    this.#store = store;
    this.#client = around.client;
    this.#moves = new MoveQueue(error => store.fail(error));
    this.time = new LabTime({
      store,
      client: around.client,
      moves: this.#moves,
      show: moment => this.#show(moment),
      motion: around.motion ?? (() => 'full'),
    });
    this.#real = new RealComparisonRun(store, around);
  }

  get state(): LabState {
    return this.#store.state;
  }

  get technique(): TechniqueEntry | undefined {
    return this.state.catalogue.techniques.find(entry => entry.id === this.state.technique);
  }

  /** Whether a guest is entered and left: under a hypervisor, or where the program is one. */
  get hasExits(): boolean {
    const guest = this.state.catalogue.guests.find(entry => entry.id === this.state.guest);
    return this.technique?.host === 'hardware' || guest?.isHypervisor === true;
  }

  /** Shows that something of ours broke; the page stays. */
  fail(error: unknown): void {
    this.#store.fail(error);
  }

  /** What a newcomer is told to press next. */
  hint(hint: LabState['hint']): void {
    if (hint !== this.state.hint) this.#set({hint});
  }

  notice(notice: string | undefined): void {
    this.#set({notice});
  }

  /** Loads the catalogue and opens the first guest, or the one that a link names. */
  async start(wanted: Opening | undefined): Promise<void> {
    try {
      const catalogue = await this.#client.catalogue();
      this.#set({catalogue});
      void this.#real.askAvailability();
      const first = {technique: FIRST_STATE.technique, guest: FIRST_STATE.guest};
      await this.open(wanted ?? first);
      // Whatever a link asks for may be refused: then there is the lab, and the sentence.
      if (this.state.moment === undefined) await this.open(first);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Opens a guest that the catalogue has only now. */
  async openAdded(guest: string): Promise<void> {
    this.#set({catalogue: await this.#client.catalogue()});
    await this.open({technique: this.state.technique, guest});
  }

  /** Opens a guest on a technique, at a step or where the guest begins. What the catalogue does not have is replaced by its first entry, and said so. */
  async open(wanted: Opening, shown: Shown = () => undefined): Promise<void> {
    const before = this.state;
    const {guests, techniques} = this.state.catalogue;
    const guest =
      guests.find(entry => entry.id === wanted.guest) ??
      guests.find(entry => entry.id === FIRST_STATE.guest) ??
      guests[0];
    const technique =
      techniques.find(entry => entry.id === machineFor(guest, wanted.technique, techniques, FIRST_STATE.technique)) ??
      techniques.find(entry => entry.id === FIRST_STATE.technique) ??
      techniques[0];
    if (guest === undefined || technique === undefined)
      throw new Error(
        'The simulator offers no guest. Reload the page; if that does not help, build it again with `npm start`.',
      );
    const asked = techniques.find(entry => entry.id === wanted.technique);
    const misfit = asked === undefined || guest.only !== undefined ? undefined : whyNotOn(guest, asked, guests);
    const isSettled = technique.id === wanted.technique || guest.only !== undefined || misfit !== undefined;
    const known = guest.id === wanted.guest && isSettled;
    const opening = ++this.#opening;
    this.#real.drop();
    this.#moves.clear();
    this.pause();
    const sameGuest = guest.id === this.state.guest;
    const {edited, switches = {}} = wanted;
    const sameText = edited === this.state.edited;
    this.#set({
      // While a text is tried the page stays as it is, with the editor in it.
      phase:
        sameGuest && (!sameText || technique.id === before.technique)
          ? before.phase
          : {kind: 'loading', what: `Starting ${guest.title}`},
      opening: 'under way',
      guest: guest.id,
      technique: technique.id,
      exits: [],
      window: undefined,
      overview: undefined,
      card: undefined,
      edited,
      switches,
      real: sameGuest && sameText && this.state.real.kind !== 'running' ? this.state.real : {kind: 'idle'},
      notice: known
        ? (misfit ?? this.state.notice)
        : 'The link names a guest or a machine that this lab does not have; the nearest one is shown.',
    });
    this.time.reset();
    const client = this.#client;
    const opened = await client
      .open({technique: technique.id, guest: guest.id, edited, switches})
      .catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    if (typeof opened === 'string') {
      if (opening === this.#opening) this.#set({...before, opening: 'settled', notice: opened});
      return shown(opened);
    }
    const {start} = opened;
    const offers = await client.switches(technique.id, guest.id);
    const source = await client.source();
    const costs = await client.costs();
    const moment = await this.#place(known ? wanted.step : undefined, start, sameText ? 'nearest' : 'start');
    if (opening !== this.#opening) return shown(undefined);
    this.#set({
      phase: {kind: 'ready'},
      opening: 'settled',
      moment,
      source: source?.running,
      shipped: source?.shipped,
      offers,
      costs,
    });
    shown(undefined);
    await this.#recordAhead(opening);
    if (opening === this.#opening && wanted.step === 'end') this.seekEnd();
    const card = opening === this.#opening ? await client.card() : undefined;
    if (opening === this.#opening) this.#set({card});
    const {real} = this.state;
    if (opening === this.#opening && real.kind === 'shown') await this.runReal();
  }

  /** The step that is wanted; where the run has none of that number, the nearest, or where the guest starts. */
  async #place(wanted: number | 'end' | undefined, start: number, otherwise: 'nearest' | 'start'): Promise<Moment> {
    const client = this.#client;
    const moment = await client.seek(typeof wanted === 'number' ? wanted : start);
    const isThere = typeof wanted !== 'number' || moment.index === wanted;
    return isThere || otherwise === 'nearest' ? moment : client.seek(start);
  }

  /**
   * Runs a text in the place of the guest's own; undefined goes back to that. The playhead stays at its step, or at the end.
   * The text must assemble.
   */
  async runEdited(source: string | undefined): Promise<void> {
    const {guest, technique, switches, moment} = this.state;
    const isAtEnd = moment !== undefined && moment.finished && moment.index >= moment.length;
    await this.open({
      guest,
      technique,
      edited: source,
      switches,
      ...(moment === undefined ? {} : {step: isAtEnd ? 'end' : moment.index}),
    });
  }

  /** Records the rest of the run in slices, the playhead staying where the reader put it; up to so much memory. */
  async #recordAhead(opening: number): Promise<void> {
    const client = this.#client;
    for (let refreshed = 0; ;) {
      const {size, ...progress} = await client.extend(SLICE);
      if (opening !== this.#opening) return;
      const isEnd = progress.finished || size.bytes >= size.aheadLimit;
      if (!isEnd && performance.now() - refreshed < REFRESH) continue;
      this.time.recorded({size, recording: isEnd ? 'waits' : 'ahead'});
      const shown = this.state.moment;
      if (shown !== undefined) this.#set({moment: {...shown, ...progress}});
      await this.time.timeline.refresh();
      if (isEnd) break;
      refreshed = performance.now();
    }
    // The next step at the playhead may have become known only now. Asked in turn: the playhead may be moving.
    this.#moves.add('step', async () => this.#show(await client.moment()));
  }

  /** The part of the timeline to show, in cycles, at a resolution. */
  look(from: number, to: number, columns: number): void {
    this.time.timeline.look(from, to, columns);
  }

  step(direction: 'forward' | 'back', size: StepSize = this.state.granularity): void {
    this.time.step(direction, size);
  }

  seek(index: number): void {
    this.#moves.add('seek', async () => this.#show(await this.#client.seek(index)));
  }

  seekCycle(cycle: number): void {
    this.#moves.add('seek', async () => {
      const index = await this.#client.stateAtCycle(cycle);
      this.#show(await this.#client.seek(index));
    });
  }

  /** Back to where the guest begins; from there to the very beginning, where the hypervisor sets the guest up. */
  seekStart(): void {
    const {moment} = this.state;
    if (moment !== undefined) this.seek(moment.index > moment.start ? moment.start : 0);
  }

  seekEnd(): void {
    this.seek(this.state.moment?.length ?? 0);
  }

  /** Coarser (+1) or finer (−1) steps. */
  changeGranularity(by: 1 | -1): void {
    const offered = STEP_SIZES.filter(name => name !== 'exit' || this.hasExits);
    const at = offered.indexOf(this.state.granularity) + by;
    const granularity = offered[Math.min(Math.max(0, at), offered.length - 1)];
    if (granularity !== undefined) this.setGranularity(granularity);
  }

  setGranularity(granularity: StepSize): void {
    this.#set({granularity});
  }

  togglePlay(): void {
    this.time.togglePlay();
  }

  pause(): void {
    this.time.pause();
  }

  /** Runs the open guest on real KVM, or fetches its recording, and lays it beside the simulated run. */
  async runReal(): Promise<void> {
    await this.#real.start();
  }

  /** Ends the run on real KVM that is going on or waiting; the recording takes its place. */
  cancelReal(): void {
    this.#real.cancel();
  }

  #show(moment: Moment): void {
    const grown = moment.length > (this.state.moment?.length ?? 0);
    this.#set({moment, phase: {kind: 'ready'}});
    this.time.moved(moment);
    if (grown) this.#growth.happened();
  }

  /** The playhead has gone on recording. */
  async #grown(): Promise<void> {
    const size = await this.#client.size();
    this.time.recorded({size, recording: size.bytes >= size.limit ? 'full' : this.state.time.recording});
    await this.time.timeline.refresh();
  }

  #set(change: Partial<LabState>): void {
    this.#store.set(change);
  }
}
