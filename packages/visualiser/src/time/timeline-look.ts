// The part of the timeline that is looked at, and the asking for it: one question at a time and a picture, the newest wish last.

import type {Remote} from 'comlink';
import type {LabClient} from '../lab-client.js';
import type {LabStore} from '../lab-store.js';

interface View {
  readonly from: number;
  readonly to: number;
  readonly columns: number;
  /** Whether it is all that is recorded, and grows with that. */
  readonly whole: boolean;
}

/** Columns of the map of the whole run. */
const MAP_COLUMNS = 600;

export class TimelineLook {
  readonly #store: LabStore;
  readonly #client: Remote<LabClient>;
  #view: View = {from: 0, to: 0, columns: 600, whole: true};
  #asking = false;

  constructor(store: LabStore, client: Remote<LabClient>) {
    this.#store = store;
    this.#client = client;
  }

  /** Another run was opened: all of it is looked at. */
  reset(): void {
    this.#view = {...this.#view, from: 0, to: 0, whole: true};
  }

  /** More was recorded: what depends on the whole run is asked for again. */
  async refresh(): Promise<void> {
    const client = this.#client;
    const [endCycle, exits] = await Promise.all([client.endCycle(), client.exits()]);
    const overview = await client.timeline(0, Math.max(1, endCycle), MAP_COLUMNS);
    this.#store.set({endCycle, exits, overview});
    if (this.#view.whole) this.#view = {...this.#view, from: 0, to: endCycle};
    await this.#load();
  }

  /** The part of the timeline to show, in cycles, at a resolution. */
  look(from: number, to: number, columns: number): void {
    const end = this.#store.state.endCycle;
    this.#view = {from, to, columns, whole: from <= 0 && to >= end};
    void this.#load();
  }

  /** Keeps the playhead in sight: a part of the run that it has left moves along. */
  follow(cycle: number): void {
    const {from, to, columns, whole} = this.#view;
    if (whole || (cycle >= from && cycle <= to)) return;
    const span = to - from;
    const start = Math.min(Math.max(0, cycle - span / 4), Math.max(0, this.#store.state.endCycle - span));
    this.look(start, start + span, columns);
  }

  async #load(): Promise<void> {
    if (this.#asking || this.#view.to <= this.#view.from) return;
    this.#asking = true;
    const asked = this.#view;
    try {
      this.#store.set({window: await this.#client.timeline(asked.from, asked.to, asked.columns)});
    } catch (error) {
      this.#store.fail(error);
    } finally {
      // Another one before this one is drawn would be seen by nobody.
      requestAnimationFrame(() => {
        this.#asking = false;
        if (asked !== this.#view) void this.#load();
      });
    }
  }
}
