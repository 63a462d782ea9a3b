// The search: slice after slice from the beginning of the record, finds as they come, given up by Esc or the next search.

import type {Remote} from 'comlink';
import type {Hit, SearchSlice} from '@hyperscope/trace';
import type {LabClient} from '../lab-client.js';
import type {LabStore} from '../lab-store.js';
import {searchQuery} from './search-query.js';

/** Steps of a slice: some tens of milliseconds of the worker. */
const SLICE = 20_000;
/** More finds than that are not kept: a narrower search tells more. */
const MOST = 2000;

export class Searching {
  readonly #store: LabStore;
  readonly #client: Remote<LabClient>;
  /** Counts searches: slices of an earlier one are dropped. */
  #number = 0;
  #isLooking = false;

  constructor(store: LabStore, client: Remote<LabClient>) {
    this.#store = store;
    this.#client = client;
  }

  open(): void {
    const {finds} = this.#store.state.time;
    this.#set({isOpen: true, text: finds?.text ?? '', hits: finds?.hits ?? [], standing: finds?.standing ?? ''});
  }

  close(): void {
    this.#number++;
    this.#isLooking = false;
    const {finds} = this.#store.state.time;
    if (finds !== undefined) this.#set({...finds, isOpen: false});
  }

  /** Stops looking; what was found stays. False where nothing was looked for. */
  cancel(): boolean {
    if (!this.#isLooking) return false;
    this.#number++;
    this.#isLooking = false;
    const {finds} = this.#store.state.time;
    if (finds !== undefined) this.#set({...finds, standing: `Stopped. ${finds.standing}`});
    return true;
  }

  async find(text: string): Promise<void> {
    const number = ++this.#number;
    const {moment} = this.#store.state;
    if (moment === undefined) return;
    const query = searchQuery(text, moment.header.cells);
    const hits: Hit[] = [];
    this.#isLooking = true;
    this.#set({isOpen: true, text, hits, standing: 'Looking…'});
    for (let from: number | undefined = 0; from !== undefined && hits.length < MOST;) {
      const slice: SearchSlice = await this.#client.search(query, from, SLICE, MOST - hits.length);
      if (number !== this.#number) return;
      hits.push(...slice.hits);
      from = slice.next;
      if (slice.hits.length > 0 || from !== undefined)
        this.#set({
          isOpen: true,
          text,
          hits: [...hits],
          standing: `${found(hits.length)}; looked at ${(from ?? 0).toLocaleString('en')} of ${(this.#store.state.moment?.length ?? 0).toLocaleString('en')} steps`,
        });
    }
    this.#isLooking = false;
    this.#set({
      isOpen: true,
      text,
      hits,
      standing: hits.length >= MOST ? `The first ${MOST} finds` : found(hits.length),
    });
  }

  /** The state of the next find from the playhead; undefined where there is none that way. */
  next(direction: 'forward' | 'back'): number | undefined {
    const {moment, time} = this.#store.state;
    const hits = time.finds?.hits ?? [];
    const at = moment?.index ?? 0;
    return direction === 'forward'
      ? hits.find(hit => hit.index > at)?.index
      : hits.findLast(hit => hit.index < at)?.index;
  }

  #set(finds: NonNullable<LabStore['state']['time']['finds']>): void {
    this.#store.set({time: {...this.#store.state.time, finds}});
  }
}

const found = (count: number): string => (count === 0 ? 'Not found' : `${count.toLocaleString('en')} found`);
