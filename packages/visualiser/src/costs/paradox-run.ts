// Runs the workloads of a generation one after the other in a worker, and says after each how far it is; can be stopped between
// any two, or in the middle by ending the worker. Where translation and the first VT-x change places is found by halving.

import type {ParadoxBar, ParadoxRow} from '@hyperscope/elements/paradox-chart';
import type {GenerationEntry, WorkloadEntry, WorkloadRequest, WorkloadResult} from './workload-client.js';

/** A `WorkloadClient` at the other end of a channel. */
export interface RemoteWorkloads {
  generations(): Promise<readonly GenerationEntry[]>;
  addMeasured(measurements: string): Promise<GenerationEntry>;
  workloads(): Promise<readonly WorkloadEntry[]>;
  even(): Promise<number>;
  run(request: WorkloadRequest): Promise<WorkloadResult>;
}

export interface ParadoxState {
  readonly phase: 'loading' | 'running' | 'done' | 'stopped' | 'failed';
  readonly generations: readonly GenerationEntry[];
  readonly rows: readonly ParadoxRow[];
  readonly done: number;
  readonly total: number;
  /** What is going on, or what went wrong, in a sentence. */
  readonly said: string;
}

export const MACHINE_NAMES: ReadonlyMap<string, string> = new Map([
  ['binary-translation', 'Translation'],
  ['vtx-shadow', 'VT-x, shadow'],
  ['vtx-ept', 'VT-x, EPT'],
]);
const SOFTWARE = 'binary-translation';
const HARDWARE = 'vtx-shadow';
/** The dearest round trip that is tried, and cycles between which the search ends. */
const DEAREST = 16_000;
const CLOSE = 32;

interface Ran extends WorkloadResult {
  readonly technique: string;
}
interface Line {
  readonly workload: WorkloadEntry;
  readonly machines: readonly string[];
  native: WorkloadResult | undefined;
  readonly ran: Ran[];
  breakEven: string;
}

export class ParadoxRun {
  readonly #client: RemoteWorkloads;
  readonly #changed: (state: ParadoxState) => void;
  #state: ParadoxState = {phase: 'loading', generations: [], rows: [], done: 0, total: 0, said: 'Loading …'};
  #lines: readonly Line[] = [];
  #even = 0;
  /** The newest run; an older one that comes back finds that it is over. */
  #turn = 0;

  constructor(client: RemoteWorkloads, changed: (state: ParadoxState) => void) {
    this.#client = client;
    this.#changed = changed;
  }

  /** What there is to choose from. */
  async load(): Promise<readonly GenerationEntry[]> {
    const generations = await this.#client.generations();
    this.#even = await this.#client.even();
    this.#set({generations});
    return generations;
  }

  /** Adds a machine that was measured, and gives it; undefined where the text is something else, which is told. */
  async addMeasured(measurements: string): Promise<GenerationEntry | undefined> {
    this.#set({said: 'Fitting the measurement …'});
    try {
      const added = await this.#client.addMeasured(measurements);
      this.#set({generations: await this.#client.generations(), said: ''});
      return added;
    } catch (error) {
      this.#set({said: error instanceof Error ? error.message : String(error)});
      return undefined;
    }
  }

  stop(): void {
    this.#turn++;
    this.#set({phase: 'stopped', said: 'Stopped.'});
  }

  /** Runs every workload on every machine of a generation. */
  async run(generation: GenerationEntry, costs: readonly string[]): Promise<void> {
    const turn = ++this.#turn;
    const workloads = await this.#client.workloads();
    if (turn !== this.#turn) return;
    const machines = ['bare', ...generation.machines];
    this.#lines = workloads.map(workload => ({
      workload,
      machines: generation.machines,
      native: undefined,
      ran: [],
      breakEven: '',
    }));
    this.#set({phase: 'running', done: 0, total: workloads.length * machines.length, said: ''});
    await this.#guarded(turn, async () => {
      for (const line of this.#lines)
        for (const technique of machines) {
          this.#set({said: `${line.workload.title}: ${MACHINE_NAMES.get(technique) ?? 'native'} …`});
          const request = {generation: generation.id, technique, workload: line.workload.id, costs};
          const result = await this.#client.run(request);
          if (turn !== this.#turn) return;
          if (technique === 'bare') line.native = result;
          else line.ran.push({technique, ...result});
          this.#set({done: this.#state.done + 1});
        }
      this.#set({phase: 'done', said: 'All workloads have been run.'});
    });
  }

  /** For each workload the round trip at which translation and VT-x with shadow page tables change places. */
  async findBreakEvens(generation: GenerationEntry, costs: readonly string[]): Promise<void> {
    const turn = ++this.#turn;
    this.#set({phase: 'running', done: 0, total: this.#lines.length, said: ''});
    await this.#guarded(turn, async () => {
      for (const line of this.#lines) {
        this.#set({said: `${line.workload.title}: with another round trip …`});
        const found = await this.#breakEven(line, async roundTrip => {
          const exit = Math.round(roundTrip / 2);
          const changed = [`vm-exit=${exit}`, `exception-exit=${exit}`, `vm-entry=${roundTrip - exit}`];
          const request = {generation: generation.id, technique: HARDWARE, workload: line.workload.id};
          return (await this.#client.run({...request, costs: [...costs, ...changed]})).cycles;
        });
        if (turn !== this.#turn) return;
        line.breakEven = found;
        this.#set({done: this.#state.done + 1});
      }
      this.#set({phase: 'done', said: 'It is known where they change places.'});
    });
  }

  async #breakEven(line: Line, hardware: (roundTrip: number) => Promise<number>): Promise<string> {
    const software = line.ran.find(({technique}) => technique === SOFTWARE);
    const own = line.ran.find(({technique}) => technique === HARDWARE);
    if (software === undefined || own === undefined) return '';
    if (own.exits <= 0) return 'Nothing exits: a round trip may cost what it likes.';
    if ((await hardware(0)) > software.cycles) return 'Translation is faster even where an exit costs nothing.';
    if ((await hardware(DEAREST)) <= software.cycles)
      return `VT-x is faster even at ${DEAREST} cycles for a round trip.`;
    let [low, high] = [0, DEAREST];
    while (high - low > CLOSE) {
      const middle = Math.floor((low + high) / 2);
      if ((await hardware(middle)) <= software.cycles) low = middle;
      else high = middle;
    }
    return `They change places at ${Math.round((low + high) / 2).toLocaleString('en')} cycles for a round trip: below, VT-x is faster.`;
  }

  /** A worker that was ended never answers; what it throws is told. */
  async #guarded(turn: number, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (turn === this.#turn)
        this.#set({phase: 'failed', said: error instanceof Error ? error.message : String(error)});
    }
  }

  #set(next: Partial<ParadoxState>): void {
    this.#state = {...this.#state, ...next, rows: this.#lines.map(line => rowOf(line, this.#even))};
    this.#changed(this.#state);
  }
}

function rowOf({workload, machines, native, ran, breakEven}: Line, even: number): ParadoxRow {
  const isOver = ran.length === machines.length;
  const least = Math.min(...ran.map(({cycles}) => cycles));
  const bars = machines.map((technique): ParadoxBar => {
    const found = ran.find(each => each.technique === technique);
    return {
      machine: MACHINE_NAMES.get(technique) ?? technique,
      ratio: found === undefined || native === undefined ? undefined : found.cycles / native.cycles,
      exitsPerThousand:
        found === undefined || native === undefined ? undefined : (1000 * found.exits) / native.instructions,
      isBest: isOver && found !== undefined && found.cycles <= least * (1 + even),
      isLine: technique === SOFTWARE,
    };
  });
  return {title: workload.title, what: workload.what, bars, breakEven};
}
