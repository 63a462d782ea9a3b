// The only file of the page that meets the simulator: a lab behind a message channel.

import type {Crossing, FoundPlace, Measured, Measurement, NotMeasured, Place} from '@hyperscope/walkthroughs';
import {
  FetchingShelf,
  SimulationHost,
  costFigures,
  loadAssemblyVocabulary,
  loadCardPicture,
} from '@hyperscope/simulation';
import {expose, proxy, type ProxyMarked} from 'comlink';
import type {Session} from '@hyperscope/simulation';
import type {
  ExitRow,
  Granularity,
  Inspection,
  InspectionRequest,
  Moment,
  RunChoice,
  SwitchOffer,
  TimelineWindow,
  Breakpoint,
  MicroStep,
  PlayStop,
  RecordSize,
  RunSlice,
  SearchQuery,
  SearchSlice,
  SelectionTotals,
} from '@hyperscope/trace';
import type {LineupLab} from './compare/lineup.worker.js';
import type {WorkloadLab} from './costs/workloads.worker.js';
import type {PortText} from './port/port-client.js';
import type {QuestionLab} from './scenario/questions.worker.js';
import type {RunChange} from './switches/run-change.js';
import {OPENED_FILES} from './lab-client.js';
import {linesOfText} from './assembled-lines.js';
import type {RealProgram} from './kvm-socket.js';
import type {
  AddedImage,
  AssembledText,
  AssemblyVocabulary,
  Catalogue,
  CostFigures,
  LabClient,
  RealComparison,
  RecordingProgress,
} from './lab-client.js';

class SimulationLab implements LabClient {
  readonly #host = new SimulationHost(new FetchingShelf());
  /** One guest is opened after the other, in the order in which they were asked for. */
  #opened: Promise<unknown> = Promise.resolve();
  #session: Session | undefined = undefined;
  #guest = '';
  #edited: string | undefined = undefined;
  #technique = '';
  /** The run before this one, of the same guest. */
  #before: Session | undefined = undefined;
  #added: readonly AddedImage[] = [];

  #open(): Session {
    if (this.#session === undefined) throw new Error('No guest is open: open one first.');
    return this.#session;
  }

  #guests(): ReturnType<SimulationHost['guests']> {
    return [...this.#host.guests(), ...this.#host.singleUserSystems(), ...this.#host.cards()];
  }

  async lineup(): Promise<LineupLab & ProxyMarked> {
    // Loaded by who compares: the first page does without.
    const {LineupLab: Lab} = await import('./compare/lineup.worker.js');
    return proxy(new Lab());
  }

  async questions(): Promise<QuestionLab & ProxyMarked> {
    const {QuestionLab: Lab} = await import('./scenario/questions.worker.js');
    return proxy(new Lab());
  }

  async portText(guest: string): Promise<PortText | undefined> {
    const {portView} = await import('./port/port.worker.js');
    return portView(guest);
  }

  async workloads(): Promise<WorkloadLab & ProxyMarked> {
    const {WorkloadLab: Lab} = await import('./costs/workloads.worker.js');
    return proxy(new Lab());
  }

  async addImage(name: string, bytes: Uint8Array): Promise<AddedImage> {
    const image = await this.#host.addImage(name, bytes);
    this.#added = [...this.#added.filter(({id}) => id !== image.id), image];
    return image;
  }

  catalogue(): Catalogue {
    const shipped = this.#guests().map(({id, title, teaches, needs, group}) => ({
      id,
      title,
      teaches,
      isHypervisor: needs?.technique === 'bare',
      only: needs?.technique,
      portOf: needs?.technique === 'paravirtual' ? needs.portOf : undefined,
      group,
    }));
    const added = this.#added.map(({id, title, what}) => ({
      id,
      title,
      teaches: `A ${what}.`,
      isHypervisor: false,
      only: undefined,
      group: OPENED_FILES,
    }));
    return {guests: [...shipped, ...added], techniques: this.#host.techniques()};
  }

  async open(choice: RunChoice): Promise<Moment> {
    const opening = this.#opened.then(async () => this.#openNext(choice));
    this.#opened = opening.catch(() => undefined);
    return opening;
  }

  async #openNext({technique, guest, edited, switches}: RunChoice): Promise<Moment> {
    const opened = edited === undefined ? guest : {of: guest, source: edited};
    await this.#host.prepare({guest: opened, technique});
    const session = this.#host.open({technique, guest: opened, switches});
    this.#before = guest === this.#guest ? this.#session : undefined;
    this.#session = session;
    this.#technique = technique;
    this.#guest = guest;
    this.#edited = edited;
    return session.moment();
  }

  async findPlace(place: Place, here: number): Promise<FoundPlace> {
    const {inRun} = await import('./beside.worker.js');
    return inRun(this.#host, this.#open(), this.#choice, run => run.place(place, here));
  }
  async measure(measurement: Measurement): Promise<readonly (Measured | NotMeasured)[]> {
    const {inRun} = await import('./beside.worker.js');
    return inRun(this.#host, this.#open(), this.#choice, run => run.measured(measurement));
  }
  async crossings(): Promise<readonly Crossing[]> {
    const {inRun} = await import('./beside.worker.js');
    return inRun(this.#host, this.#open(), this.#choice, run => run.crossings());
  }
  get #choice(): RunChoice {
    return {technique: this.#technique, guest: this.#guest, edited: this.#edited};
  }

  async change(): Promise<RunChange | undefined> {
    const {changeOf} = await import('./beside.worker.js');
    return this.#before === undefined ? undefined : changeOf(this.#before, this.#open());
  }

  async samePlace(at: number): Promise<number | undefined> {
    const {samePlaceOf} = await import('./beside.worker.js');
    return this.#before === undefined ? undefined : samePlaceOf(this.#before, at, this.#open());
  }

  switches(technique: string, guest: string): readonly SwitchOffer[] {
    return this.#host.switches(technique, guest);
  }

  source(): ReturnType<LabClient['source']> {
    if (!this.#guests().some(guest => guest.id === this.#guest)) return undefined;
    const shipped = this.#host.source(this.#guest);
    return {running: this.#edited ?? shipped, shipped};
  }

  async assemble(guest: string, source: string): Promise<AssembledText> {
    await this.#host.prepare({guest: {of: guest, source}});
    const result = this.#host.assemble({of: guest, source});
    if (!result.ok) return {isRunnable: false, diagnostics: result.diagnostics, lines: []};
    const {assembly} = result.loaded;
    return {isRunnable: true, diagnostics: assembly.warnings, lines: linesOfText(assembly.lines, assembly.bytes)};
  }

  program(): RealProgram {
    const added = this.#host.imageCode(this.#guest);
    if (added !== undefined) return added;
    if (this.#edited === undefined) return {guest: this.#guest};
    return this.#host.machineCode({of: this.#guest, source: this.#edited});
  }

  async vocabulary(): Promise<AssemblyVocabulary> {
    return loadAssemblyVocabulary();
  }

  async card(): ReturnType<typeof loadCardPicture> {
    return loadCardPicture(this.#guest);
  }

  costs(): CostFigures | undefined {
    const {machine} = this.#open().record.header;
    return machine === undefined ? undefined : costFigures(machine.costModel);
  }

  extend(steps: number): RecordingProgress {
    const {record, time} = this.#open();
    this.#open().recordAhead(steps);
    return {length: record.length, finished: record.finished, outcome: record.outcome, size: time.size()};
  }
  play(from: number, steps: number, stops: readonly PlayStop[]): Moment {
    const session = this.#open();
    return session.seek(session.time.playTo(from, steps, stops));
  }
  selection(fromCycle: number, toCycle: number): SelectionTotals {
    return this.#open().time.selection(fromCycle, toCycle);
  }
  async search(query: SearchQuery, from: number, steps: number, most: number): Promise<SearchSlice> {
    return this.#open().time.search(query, from, steps, most);
  }
  async runTo(
    breakpoints: readonly Breakpoint[],
    from: number,
    direction: 'forward' | 'back',
    steps: number,
  ): Promise<RunSlice> {
    return this.#open().time.runTo(breakpoints, from, direction, steps);
  }
  async microSteps(index: number): Promise<readonly MicroStep[]> {
    return this.#open().time.microSteps(index);
  }
  size(): RecordSize {
    return this.#open().time.size();
  }

  async compareWith(file: Uint8Array): Promise<RealComparison> {
    const [real, {realComparison}] = await Promise.all([this.#host.openRecording(file), import('./beside.worker.js')]);
    const adapts = this.#guests().some(guest => guest.id === this.#guest && guest.adapts !== undefined);
    return realComparison(this.#open().record, real.record, adapts);
  }

  endCycle(): number {
    return this.#open().record.endCycle;
  }
  stateAtCycle(cycle: number): number {
    return this.#open().record.stateAtCycle(cycle);
  }
  moment(): Moment {
    return this.#open().moment();
  }
  seek(index: number): Moment {
    return this.#open().seek(index);
  }
  step(direction: 'forward' | 'back', granularity: Granularity): Moment {
    return this.#open().step(direction, granularity);
  }
  timeline(fromCycle: number, toCycle: number, columns: number): TimelineWindow {
    return this.#open().timeline(fromCycle, toCycle, columns);
  }
  exits(): readonly ExitRow[] {
    return this.#open().exits();
  }
  async inspect(request: InspectionRequest): Promise<Inspection> {
    return this.#open().inspect(request);
  }
}

expose(new SimulationLab());
