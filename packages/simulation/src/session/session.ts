// A running, recorded, seekable session: a guest on a technique, with a playhead that can be anywhere in what was
// recorded. Running goes on only at the frontier; looking back moves the machine itself back.

import {scanCodesOf} from '@hyperscope/machine';
import type {
  ExitRow,
  Granularity,
  Inspection,
  InspectionRequest,
  MemorySpace,
  Moment,
  RunRecord,
  SessionClient,
  TimelineWindow,
} from '@hyperscope/trace';
import {isBoundary} from '@hyperscope/trace';
import type {PortOptions, Technique, TechniqueOptions, TechniqueRun} from '@hyperscope/vmm';
import {requireImageFit} from '../guest-needs.js';
import type {LoadedImage} from '../images/image-options.js';
import {MomentMaker} from './moment-maker.js';
import {lastWriterOf, readMemory} from './memory-access.js';
import {RunDriver} from './run-driver.js';
import {sha256} from './sha256.js';
import type {SwitchedOptions} from '../switches/switches.js';
import type {SourceMap} from './source-map.js';
import {StateView} from './state-view.js';
import {SessionTime} from './time/session-time.js';

export interface SessionOptions {
  readonly technique: Technique;
  readonly image: LoadedImage;
  readonly guest: {
    readonly id: string;
    readonly title: string;
    /** The file, or the assembled program. */ readonly bytes: Uint8Array;
  };
  readonly source?: SourceMap | undefined;
  readonly ports?: PortOptions | undefined;
  /** Processor, cost model and what else was switched; the technique's own where absent. */
  readonly options?: SwitchedOptions | undefined;
}

export const NO_PORTS: PortOptions = {exitPort: undefined, powerOffPort: undefined, capturePorts: []};

/** How many steps a search for the next event may record before it gives up and shows where it got to. */
const SEARCH_LIMIT = 200_000;

/** The host's steps before the guest's first instruction are some forty; a guest that never gets there has failed by then. */
const SETUP_LIMIT = 2000;

/** Starts a technique with an image and makes it a session at state 0. */
export function createSession(options: SessionOptions): Session {
  const {technique, image, guest} = options;
  requireImageFit(image.image, guest.title, technique);
  const start = (executor?: TechniqueOptions['executor']): TechniqueRun =>
    technique.start({
      image: image.image,
      ports: options.ports ?? NO_PORTS,
      profile: undefined,
      costModel: undefined,
      ...options.options,
      ...(executor === undefined ? {} : {executor}),
    });
  const driver = new RunDriver(
    start(),
    {
      technique: technique.id,
      guest: {
        id: guest.id,
        title: guest.title,
        sha256: sha256(guest.bytes),
        loadAddress: image.loadAddress,
        bytes: guest.bytes.length,
      },
    },
    image.image.memoryBytes,
  );
  return new Session(driver, options.source, () => start('reference'));
}

export class Session implements SessionClient {
  readonly #driver: RunDriver;
  readonly #maker: MomentMaker;
  /** Finds, breakpoints, totals, micro-operations, the record's size. */
  readonly time: SessionTime;
  #index = 0;

  /** `again` starts the same run once more. */
  constructor(driver: RunDriver, source: SourceMap | undefined, again?: () => TechniqueRun) {
    this.#driver = driver;
    this.#maker = new MomentMaker(driver.record, source, again);
    this.time = new SessionTime({
      record: driver.record,
      source,
      textOf: step => this.#maker.textOf(step),
      recordOne: () => {
        const {length} = driver.record;
        driver.advanceBy(1);
        return driver.record.length > length;
      },
    });
  }

  get record(): RunRecord {
    return this.#driver.record;
  }
  get driver(): RunDriver {
    return this.#driver;
  }

  /** The text of a recorded step's instruction; '' for steps that are none. */
  textOf(step: number): string {
    return this.#maker.textOf(step);
  }
  /** What the guest had printed at a state. */
  printed(index: number): string {
    return this.#maker.serial.before(index);
  }
  /** The state right before the guest's first instruction that completes; 0 where there is none. */
  get start(): number {
    this.#findStart();
    return this.#maker.start ?? 0;
  }

  moment(): Moment {
    this.#findStart();
    this.#driver.seek(this.#index);
    return this.#maker.moment(this.#driver.run.banks, this.#index);
  }

  seek(index: number): Moment {
    const wanted = Math.max(0, Math.trunc(index));
    if (wanted > this.record.length) this.#recordMore(wanted - this.record.length);
    this.#index = Math.min(wanted, this.record.length);
    return this.moment();
  }

  step(direction: 'forward' | 'back', granularity: Granularity): Moment {
    const known = this.record.neighbour(this.#index, direction, granularity);
    if (known !== undefined) return this.seek(known);
    if (direction === 'back') return this.seek(0);
    if (granularity === 'instruction') return this.seek(this.#index + 1);
    return this.seek(this.#search(granularity));
  }

  run(steps: number): Moment {
    this.#recordMore(steps);
    this.#index = this.record.length;
    return this.moment();
  }

  /** Records up to so many steps at the frontier; the playhead stays where it is. None where the record is full. */
  recordAhead(steps: number): void {
    this.#recordMore(steps);
    this.#maker.keepUp();
  }

  #recordMore(steps: number): void {
    if (!this.time.isFull) this.#driver.advanceBy(steps);
  }

  timeline(fromCycle: number, toCycle: number, columns: number): TimelineWindow {
    return this.#maker.timeline(fromCycle, toCycle, columns);
  }
  exits(): readonly ExitRow[] {
    return this.#maker.exits();
  }

  memory(space: MemorySpace, address: bigint, length: number): Uint8Array | undefined {
    return readMemory(this.#state(), space, address, length);
  }
  lastWriter(space: 'hpa' | 'gpa', address: bigint): number | undefined {
    return lastWriterOf(this.record, this.#state(), space, address, this.#index);
  }

  async inspect(request: InspectionRequest): Promise<Inspection> {
    const inspector = await this.#maker.inspector();
    // Only now: the playhead may have moved meanwhile, and the answer says which state it is about.
    this.#driver.seek(this.#index);
    return inspector.inspect(this.#driver.run.banks, this.#index, request);
  }

  /** Types at the first serial port, at the frontier. */
  sendSerial(bytes: Uint8Array): Moment {
    this.#driver.sendSerial(bytes);
    this.#index = this.record.length;
    return this.moment();
  }

  /** Types on the guest's keyboard, at the frontier. @throws UserError 'no-such-key' */
  typeKeys(text: string): Moment {
    this.#driver.pressKeys(scanCodesOf(text));
    this.#index = this.record.length;
    return this.moment();
  }

  /** Records the hypervisor's setting-up ahead of the playhead, so that every moment can say where the guest begins. */
  #findStart(): void {
    const driver = this.#driver;
    if (this.record.length > 0 || this.#maker.start !== undefined) return;
    for (let steps = 0; steps < SETUP_LIMIT && driver.outcome === undefined; steps++) {
      const {actor} = driver.advance();
      // A VMM's own instructions come before the guest's.
      if (actor.startsWith('guest-') && this.#maker.start !== undefined) return;
    }
  }

  /** Records until an event of the granularity; gives the state after its step, or where the search ended. */
  #search(granularity: Granularity): number {
    const driver = this.#driver;
    driver.seek(this.record.length);
    for (let steps = 0; steps < SEARCH_LIMIT && driver.outcome === undefined && !this.time.isFull; steps++) {
      driver.advance();
      if (this.record.eventsOf(this.record.length - 1).some(event => isBoundary(event, granularity))) break;
    }
    return this.record.length;
  }

  #state(): StateView {
    this.#driver.seek(this.#index);
    return new StateView(this.record.header, this.#driver.run.banks);
  }
}
