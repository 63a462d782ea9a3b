// The same client over a record alone: a file, or a run of real KVM. There is no machine; nothing can be run further.

import {Playhead} from '@hyperscope/trace';
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
import {MomentMaker} from './moment-maker.js';
import {lastWriterOf, readMemory} from './memory-access.js';
import type {SourceMap} from './source-map.js';
import {StateView} from './state-view.js';

export class PlaybackSession implements SessionClient {
  readonly record: RunRecord;
  readonly #playhead: Playhead;
  readonly #maker: MomentMaker;

  constructor(record: RunRecord, source?: SourceMap) {
    this.record = record;
    this.#playhead = new Playhead(record);
    this.#maker = new MomentMaker(record, source);
  }

  moment(): Moment {
    return this.#maker.moment(this.#playhead.banks, this.#playhead.index);
  }

  seek(index: number): Moment {
    this.#playhead.seek(Math.min(Math.max(0, Math.trunc(index)), this.record.length));
    return this.moment();
  }

  step(direction: 'forward' | 'back', granularity: Granularity): Moment {
    const edge = direction === 'forward' ? this.record.length : 0;
    return this.seek(this.record.neighbour(this.#playhead.index, direction, granularity) ?? edge);
  }

  /** Plays on by as many steps as there are. */
  run(steps: number): Moment {
    return this.seek(this.#playhead.index + steps);
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
    return lastWriterOf(this.record, this.#state(), space, address, this.#playhead.index);
  }
  async inspect(request: InspectionRequest): Promise<Inspection> {
    const inspector = await this.#maker.inspector();
    return inspector.inspect(this.#playhead.banks, this.#playhead.index, request);
  }

  #state(): StateView {
    return new StateView(this.record.header, this.#playhead.banks);
  }
}
