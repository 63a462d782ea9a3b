// Runs one guest on several machines, one after the other, in a worker of its own: the lab goes on meanwhile, and giving up is
// ending the worker. Keeps what the view shows as one value.

import type {ComparedLane, LanePicture} from '@hyperscope/elements';
import type {RunChoice} from '@hyperscope/trace';
import type {Remote} from 'comlink';
import type {TechniqueEntry} from '../lab-client.js';
import type {LineupClient} from './lineup-client.js';

/** Steps recorded in one call, so that progress is seen. */
const SLICE = 10_000;
/** Steps of one machine; a guest that goes on longer is compared as far as that. */
const MOST_STEPS = 400_000;
/** Columns of a machine's picture. */
const COLUMNS = 480;

/** Id of the lane that is real KVM. */
export const REAL = 'kvm';

export interface LineupState {
  readonly lanes: readonly LanePicture[];
  readonly instruction: number;
  readonly instructions: number;
  readonly chosen: string;
  /** What goes on, in words; undefined when all is there. */
  readonly standing: string | undefined;
  /** Something broke: a sentence. */
  readonly trouble: string | undefined;
}

export interface LineupSurroundings {
  /** A worker with a lineup in it, and what ends it. */
  readonly start: () => Promise<{readonly client: Remote<LineupClient>; readonly end: () => void}>;
  /** A run of the guest on real KVM, or its recording; a sentence where there is neither. */
  readonly realRecord: (signal: AbortSignal) => Promise<Uint8Array | {readonly why: string}>;
  readonly changed: (state: LineupState) => void;
}

export class LineupRun {
  readonly #around: LineupSurroundings;
  readonly #giveUp = new AbortController();
  #client: Remote<LineupClient> | undefined = undefined;
  #end: (() => void) | undefined = undefined;
  #state: LineupState = {
    lanes: [],
    instruction: 0,
    instructions: 0,
    chosen: '',
    standing: undefined,
    trouble: undefined,
  };
  #wanted: number | undefined = undefined;
  #moving = false;

  constructor(around: LineupSurroundings) {
    this.#around = around;
  }

  get state(): LineupState {
    return this.#state;
  }

  /** Runs and compares; the first machine is the reference. What goes wrong becomes a sentence of the state. */
  async start(
    choice: Omit<RunChoice, 'technique'>,
    machines: readonly TechniqueEntry[],
    withReal: 'alone' | 'with real KVM',
  ): Promise<void> {
    const lanes: LanePicture[] = machines.map(({id, shortTitle, host}) => ({
      id,
      title: shortTitle,
      host,
      kind: 'waiting',
    }));
    if (withReal === 'with real KVM') lanes.push({id: REAL, title: 'Real KVM', host: 'hardware', kind: 'waiting'});
    this.#set({lanes, chosen: lanes[0]?.id ?? '', standing: 'Starting a simulator'});
    try {
      const {client, end} = await this.#around.start();
      this.#client = client;
      this.#end = end;
      for (const machine of machines) await this.#record(client, machine, {...choice, technique: machine.id});
      if (withReal === 'with real KVM') await this.#recordReal(client);
      await this.#compare(client);
    } catch (error) {
      if (!this.#giveUp.signal.aborted)
        this.#set({standing: undefined, trouble: error instanceof Error ? error.message : String(error)});
    }
  }

  async #record(client: Remote<LineupClient>, {id, shortTitle}: TechniqueEntry, choice: RunChoice): Promise<void> {
    this.#set({standing: `Running on ${shortTitle}`});
    try {
      await client.add(choice);
    } catch (error) {
      // A guest that this machine refuses is a fact about the machine, and the others go on.
      return this.#lane(id, {kind: 'absent', why: error instanceof Error ? error.message : String(error)});
    }
    for (let steps = 0; steps < MOST_STEPS;) {
      const {length, finished} = await client.extend(SLICE);
      steps = length;
      this.#lane(id, {kind: 'running', steps});
      if (finished) break;
    }
  }

  async #recordReal(client: Remote<LineupClient>): Promise<void> {
    this.#set({standing: 'Running on real KVM'});
    const record = await this.#around.realRecord(this.#giveUp.signal);
    if (!(record instanceof Uint8Array)) return this.#lane(REAL, {kind: 'absent', why: record.why});
    await client.addRecord(record);
    this.#lane(REAL, {kind: 'running', steps: 0});
  }

  async #compare(client: Remote<LineupClient>): Promise<void> {
    this.#set({standing: 'Laying them beside each other'});
    for (const {id} of this.#state.lanes.filter(({kind}) => kind === 'running')) {
      const summary = await client.compareNext();
      if (summary === undefined) break;
      this.#lane(id, {kind: 'compared', summary, strip: undefined, moment: undefined});
      const strips = await client.strips(COLUMNS);
      this.#set({instructions: await client.instructions()});
      this.#compared((lane, index) => ({...lane, strip: strips[index]}));
      await this.#show(client, this.#state.instruction);
    }
    this.#set({standing: undefined});
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
    void move().finally(() => {
      this.#moving = false;
    });
  }

  /** To where the chosen machine's guest, or where that has no exits anybody's, is left once more, or once less. */
  async goBesideExit(direction: 'back' | 'forward'): Promise<void> {
    const compared = this.#state.lanes.filter(lane => lane.kind === 'compared');
    const chosen = compared.find(({id, summary}) => id === this.#state.chosen && summary.exitCount > 0);
    const client = this.#client;
    if (client === undefined) return;
    // Nothing leaves a guest on bare metal: then the next exit is anybody's.
    const asked = chosen === undefined ? compared : [chosen];
    const found = await Promise.all(
      asked.map(async lane => client.besideExit(compared.indexOf(lane), this.#state.instruction, direction)),
    );
    const met = found.filter(instruction => instruction !== undefined);
    if (met.length > 0) this.go(direction === 'forward' ? Math.min(...met) : Math.max(...met));
  }

  choose(id: string): void {
    this.#set({chosen: id});
  }

  /** Ends what goes on, and the worker. */
  end(): void {
    this.#giveUp.abort();
    this.#end?.();
    this.#client = undefined;
  }

  async #show(client: Remote<LineupClient>, instruction: number): Promise<void> {
    const moments = await client.at(instruction);
    this.#set({instruction});
    this.#compared((lane, index) => ({...lane, moment: moments[index]}));
  }

  /** Changes the lanes that have been compared; they count in the order in which they were added. */
  #compared(change: (lane: ComparedLane, index: number) => ComparedLane): void {
    let index = 0;
    this.#set({lanes: this.#state.lanes.map(lane => (lane.kind === 'compared' ? change(lane, index++) : lane))});
  }

  #lane(id: string, change: LaneChange): void {
    this.#set({
      lanes: this.#state.lanes.map(({...lane}) =>
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

type WithoutName<Lane> = Lane extends unknown ? Omit<Lane, 'host' | 'id' | 'title'> : never;
type LaneChange = WithoutName<LanePicture>;
