// A run to a breakpoint, forwards or backwards, slice by slice: Esc ends it where it is, and it says how far it got.

import type {Remote} from 'comlink';
import type {Breakpoint, Moment} from '@hyperscope/trace';
import type {LabClient} from '../lab-client.js';
import type {LabStore} from '../lab-store.js';

const SLICE = 20_000;
/** Between two reports of how far a run is, in milliseconds. */
const REPORT = 200;

export class Running {
  readonly #store: LabStore;
  readonly #client: Remote<LabClient>;
  #number = 0;

  constructor(store: LabStore, client: Remote<LabClient>) {
    this.#store = store;
    this.#client = client;
  }

  /** Ends the run that is going on: the playhead goes where it got. */
  cancel(): void {
    this.#number++;
  }

  /** Where the run came to; undefined where there is nowhere to run. */
  async run(direction: 'forward' | 'back'): Promise<Moment | undefined> {
    const number = ++this.#number;
    const {moment, time} = this.#store.state;
    if (moment === undefined) return undefined;
    let {index} = moment;
    let reported = performance.now();
    try {
      for (;;) {
        const slice = await this.#client.runTo(time.breakpoints, index, direction, SLICE);
        index = slice.index;
        if (slice.hit !== undefined || slice.ended || number !== this.#number) break;
        if (performance.now() - reported < REPORT) continue;
        reported = performance.now();
        this.#say(
          `${direction === 'forward' ? 'Running' : 'Running back'}, step ${index.toLocaleString('en')}; Esc stops here`,
        );
      }
      return await this.#client.seek(index);
    } finally {
      this.#say(undefined);
    }
  }

  #say(busy: string | undefined): void {
    const {time} = this.#store.state;
    if (time.busy !== busy) this.#store.set({time: {...time, busy}});
  }
}

/** The breakpoints with one more; without it, where it stood already. */
export function toggled(breakpoints: readonly Breakpoint[], wanted: Breakpoint): readonly Breakpoint[] {
  const rest = breakpoints.filter(one => nameOf(one) !== nameOf(wanted));
  return rest.length < breakpoints.length ? rest : [...breakpoints, wanted];
}

const nameOf = (breakpoint: Breakpoint): string =>
  Object.values(breakpoint)
    .map(value => String(value))
    .join(' ');
