// Runs one guest on several machines in a worker of its own, and lays each beside the first as soon as it has run: the lab goes on
// meanwhile, and giving up is ending the worker. Keeps what the view shows as one value.

import type {ComparedLane, LanePicture, SpeedName} from '@hyperscope/elements';
import type {LaneStop, RunChoice} from '@hyperscope/trace';
import type {LineupClient} from './lineup-client.js';
import {LineupPlaying, type PlayedLineup} from './lineup-play.js';
import type {PlannedLane} from './planned-lanes.js';

/** Steps recorded in one call, so that progress is seen. */
const SLICE = 10_000;
/** Steps of one machine; a guest that goes on longer is compared as far as that. */
const MOST_STEPS = 400_000;
/** Columns of a machine's picture. */
const COLUMNS = 480;

const STOPPED = 'Not compared: it was stopped before. Press c twice to compare anew.';
const LONGER = `Its run is longer than ${MOST_STEPS.toLocaleString('en')} steps: it is compared as far as that, and how it ends is not known.`;

/** A lineup in a worker. */
export type RemoteLineup = {
  readonly [Call in Exclude<keyof LineupClient, 'addImage'>]: (
    ...args: Parameters<LineupClient[Call]>
  ) => Promise<Awaited<ReturnType<LineupClient[Call]>>>;
};

export interface LineupState {
  readonly lanes: readonly LanePicture[];
  readonly instruction: number;
  readonly instructions: number;
  readonly chosen: string;
  /** What goes on, in words; undefined when all is there. */
  readonly standing: string | undefined;
  /** Something broke: a sentence. */
  readonly trouble: string | undefined;
  /** The speed at which it plays; undefined where it stands. */
  readonly playing: SpeedName | undefined;
}

/** Where the playhead is to be, and which machine is to be read of. */
export interface LineupPlace {
  readonly instruction: number;
  readonly chosen: string | undefined;
}

/** A run on real KVM, and where it is from. */
export interface RealLane {
  readonly bytes: Uint8Array;
  readonly note: string;
}

export interface LineupSurroundings {
  /** A worker with a lineup in it, and what ends it. */
  readonly start: () => Promise<{readonly client: RemoteLineup; readonly end: () => void}>;
  /** A run of the guest on real KVM, or its recording; a sentence where there is neither. `tell` hears how it stands. */
  readonly realRecord: (
    signal: AbortSignal,
    tell: (standing: string) => void,
  ) => Promise<RealLane | {readonly why: string}>;
  readonly motion: PlayedLineup['motion'];
  readonly changed: (state: LineupState) => void;
}

export class LineupRun {
  readonly #around: LineupSurroundings;
  /** The view is closed. */
  readonly #giveUp = new AbortController();
  /** What is not compared yet is to stay so. */
  readonly #stop = new AbortController();
  readonly #playing: LineupPlaying;
  #client: RemoteLineup | undefined = undefined;
  #end: (() => void) | undefined = undefined;
  #state: LineupState = {
    lanes: [],
    instruction: 0,
    instructions: 0,
    chosen: '',
    standing: undefined,
    trouble: undefined,
    playing: undefined,
  };
  #wanted: number | undefined = undefined;
  #moving = false;

  constructor(around: LineupSurroundings) {
    this.#around = around;
    this.#playing = new LineupPlaying({
      place: () => this.#state,
      go: instruction => this.go(instruction),
      isMoving: () => this.#moving,
      motion: around.motion,
      changed: () => this.#set({playing: this.#playing.isPlaying ? this.#playing.speed : undefined}),
    });
  }

  get state(): LineupState {
    return this.#state;
  }
  get playing(): Pick<LineupPlaying, 'changeSpeed' | 'pause' | 'toggle'> {
    return this.#playing;
  }

  /** Runs and compares; the first machine that runs is the reference. What goes wrong becomes a sentence of the state. */
  async start(
    choice: Omit<RunChoice, 'technique'>,
    plan: readonly PlannedLane[],
    place: LineupPlace = {instruction: 0, chosen: undefined},
  ): Promise<void> {
    const lanes = plan.map((lane): LanePicture => (lane.kind === 'absent' ? lane : {...lane, kind: 'waiting'}));
    const chosen = lanes.find(({id}) => id === place.chosen) ?? lanes.find(({kind}) => kind === 'waiting') ?? lanes[0];
    this.#set({lanes, chosen: chosen?.id ?? '', instruction: place.instruction, standing: 'Starting a simulator'});
    const signal = AbortSignal.any([this.#giveUp.signal, this.#stop.signal]);
    const real = plan.find(({kind}) => kind === 'real');
    // The server works while the simulator does.
    const asked = real && this.#around.realRecord(signal, standing => this.#lane(real.id, {kind: 'running', standing}));
    try {
      const {client, end} = await this.#around.start();
      if (this.#giveUp.signal.aborted) return end();
      this.#client = client;
      this.#end = end;
      for (const lane of plan) {
        if (lane.kind === 'absent') continue;
        if (signal.aborted) this.#lane(lane.id, {kind: 'absent', why: STOPPED});
        else if (lane.kind === 'machine') await this.#machine(client, lane, {...choice, technique: lane.id});
        else await this.#real(client, lane, asked);
      }
      this.#set({standing: undefined});
    } catch (error) {
      this.#set({standing: undefined, trouble: sentenceOf(error)});
    }
  }

  async #machine(client: RemoteLineup, {id, title}: PlannedLane, choice: RunChoice): Promise<void> {
    this.#set({standing: `Running on ${title}`});
    try {
      await client.add(choice);
    } catch (error) {
      // A guest that this machine refuses is a fact about the machine, and the others go on.
      return this.#lane(id, {kind: 'absent', why: sentenceOf(error)});
    }
    let isWhole = false;
    for (let steps = 0; steps < MOST_STEPS && !isWhole && !this.#stop.signal.aborted;) {
      const {length, finished} = await client.extend(SLICE);
      steps = length;
      isWhole = finished;
      this.#lane(id, {kind: 'running', standing: `running, ${steps.toLocaleString('en')} steps so far`});
    }
    if (this.#stop.signal.aborted) return this.#lane(id, {kind: 'absent', why: STOPPED});
    await this.#compare(client, id, isWhole ? {} : {cut: 'cut short', note: LONGER});
  }

  async #real(
    client: RemoteLineup,
    {id}: PlannedLane,
    asked: Promise<RealLane | {readonly why: string}> | undefined,
  ): Promise<void> {
    this.#set({standing: 'Waiting for real KVM'});
    try {
      const run = await asked;
      if (run === undefined || 'why' in run)
        return this.#lane(id, {kind: 'absent', why: this.#stop.signal.aborted ? STOPPED : (run?.why ?? '')});
      await client.addRecord(run.bytes);
      await this.#compare(client, id, {note: run.note});
    } catch (error) {
      // A damaged recording is no reason to lose the others.
      this.#lane(id, {kind: 'absent', why: sentenceOf(error)});
    }
  }

  /** Lays the newest machine beside the first, and asks for its picture and its moment: of the others nothing has changed. */
  async #compare(client: RemoteLineup, id: string, more: Pick<ComparedLane, 'cut' | 'note'>): Promise<void> {
    this.#lane(id, {kind: 'running', standing: 'being compared'});
    this.#set({standing: `Comparing ${this.#state.lanes.find(lane => lane.id === id)?.title ?? id}`});
    const index = this.#state.lanes.filter(({kind}) => kind === 'compared').length;
    const summary = await client.compareNext();
    if (summary === undefined) return;
    const instructions = await client.instructions();
    const instruction = Math.min(this.#state.instruction, instructions);
    this.#set({instruction, instructions});
    const strip = await client.strip(index, COLUMNS);
    const moment = await client.moment(index, instruction);
    this.#lane(id, {kind: 'compared', summary, strip, moment, ...more});
    // Who has moved the playhead meanwhile moves this machine, too.
    if (this.#moving || this.#state.instruction !== instruction) this.go(this.#wanted ?? this.#state.instruction);
  }

  /** Moves the playhead of all machines; while they move, only the last wish counts. */
  go(instruction: number): void {
    this.#wanted = Math.min(Math.max(0, instruction), this.#state.instructions);
    const client = this.#client;
    if (this.#moving || client === undefined) return;
    this.#moving = true;
    const move = async (): Promise<void> => {
      while (this.#wanted !== undefined) {
        const wanted: number = this.#wanted;
        this.#wanted = undefined;
        await this.#show(client, wanted);
      }
    };
    void move()
      .catch((error: unknown) => this.#set({trouble: sentenceOf(error)}))
      .finally(() => {
        this.#moving = false;
      });
  }

  /**
   * To the nearest exit of the chosen machine, or where that has none anybody's; or to the nearest ring or mode change of the
   * guest on the first machine.
   */
  async goBeside(stop: LaneStop, direction: 'back' | 'forward'): Promise<void> {
    const compared = this.#state.lanes.filter(lane => lane.kind === 'compared');
    const client = this.#client;
    if (client === undefined) return;
    const chosen = compared.find(({id, summary}) => id === this.#state.chosen && summary.exitCount > 0);
    // Nothing leaves a guest on bare metal: then the next exit is anybody's.
    const asked = stop !== 'exit' ? compared.slice(0, 1) : chosen === undefined ? compared : [chosen];
    const found = await Promise.all(
      asked.map(async lane => client.beside(stop, compared.indexOf(lane), this.#state.instruction, direction)),
    );
    this.#goNearest(direction, found);
  }

  /**
   * To where a machine goes wrong next, and of several that do so at one instruction to the next of them; where none does any
   * more, to the end, or to the beginning.
   */
  goWrong(direction: 'back' | 'forward'): void {
    const {lanes, instruction, instructions, chosen} = this.#state;
    const sign = direction === 'forward' ? 1 : -1;
    const here = {at: instruction, row: lanes.findIndex(({id}) => id === chosen)};
    const beyond = (a: Wrong, b: Wrong): number => sign * (a.at - b.at || a.row - b.row);
    const [next] = lanes
      .flatMap((lane, row) => {
        const at = lane.kind === 'compared' ? lane.summary.wrongAt : undefined;
        return at === undefined ? [] : [{at, row}];
      })
      .filter(each => beyond(each, here) > 0)
      .toSorted(beyond);
    if (next === undefined) return this.go(direction === 'forward' ? instructions : 0);
    this.choose(lanes[next.row]?.id ?? chosen);
    this.go(next.at);
  }

  #goNearest(direction: 'back' | 'forward', places: readonly (number | undefined)[]): void {
    const met = places.filter(instruction => instruction !== undefined);
    if (met.length > 0) this.go(direction === 'forward' ? Math.min(...met) : Math.max(...met));
  }

  choose(id: string): void {
    if (this.#state.lanes.some(lane => lane.id === id)) this.#set({chosen: id});
  }

  /** Leaves what is not compared yet; what is stays. */
  stop(): void {
    this.#stop.abort();
  }

  /** Ends what goes on, and the worker. */
  end(): void {
    this.#giveUp.abort();
    this.#playing.pause();
    this.#end?.();
    this.#client = undefined;
  }

  async #show(client: RemoteLineup, instruction: number): Promise<void> {
    const moments = await client.at(instruction);
    let index = 0;
    const lanes = this.#state.lanes.map(lane =>
      lane.kind === 'compared' ? {...lane, moment: moments[index++] ?? lane.moment} : lane,
    );
    this.#set({instruction, lanes});
  }

  #lane(id: string, change: LaneChange): void {
    this.#set({
      lanes: this.#state.lanes.map(lane =>
        lane.id === id ? {id, title: lane.title, host: lane.host, ...change} : lane,
      ),
    });
  }

  #set(change: Partial<LineupState>): void {
    if (this.#giveUp.signal.aborted) return;
    this.#state = {...this.#state, ...change};
    this.#around.changed(this.#state);
  }
}

/** Where a lane goes wrong: by the reference's instructions, and which row it is. */
type Wrong = {readonly at: number; readonly row: number};

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

type WithoutName<Lane> = Lane extends unknown ? Omit<Lane, 'host' | 'id' | 'title'> : never;
type LaneChange = WithoutName<LanePicture>;
