// Steps inside an instruction: its micro-operations one by one, with what each reads and writes. Only behind the last one does
// the playhead move: the record knows states between instructions, and none within them.

import type {Remote} from 'comlink';
import type {Moment} from '@hyperscope/trace';
import type {LabClient} from '../lab-client.js';
import type {LabStore} from '../lab-store.js';
import type {MicroPlace} from './time-state.js';

export class MicroStepping {
  readonly #store: LabStore;
  readonly #client: Remote<LabClient>;

  constructor(store: LabStore, client: Remote<LabClient>) {
    this.#store = store;
    this.#client = client;
  }

  /** One micro-operation on or back; gives the moment where that leaves the instruction. */
  async step(direction: 'forward' | 'back'): Promise<Moment | undefined> {
    const {moment, time} = this.#store.state;
    if (moment === undefined) return undefined;
    const here = time.micro?.index === moment.index ? time.micro : undefined;
    if (direction === 'forward') {
      const next = here ?? (await this.#placeAt(moment.index, -1));
      if (next !== undefined && next.at + 1 < next.steps.length) return this.#show({...next, at: next.at + 1});
      this.#show(undefined);
      return this.#client.step('forward', 'instruction');
    }
    if (here !== undefined) return this.#show(here.at > 0 ? {...here, at: here.at - 1} : undefined);
    if (moment.index === 0) return undefined;
    const before = await this.#client.step('back', 'instruction');
    // Back into the instruction: its last micro-operation is the one before this state.
    const place = await this.#placeAt(before.index, 0);
    this.#show(place === undefined ? undefined : {...place, at: place.steps.length - 1});
    return before;
  }

  /** The playhead is elsewhere. */
  leave(): void {
    this.#show(undefined);
  }

  async #placeAt(index: number, at: number): Promise<MicroPlace | undefined> {
    const steps = await this.#client.microSteps(index);
    if (steps.length === 0) return undefined;
    const moment = await this.#client.moment();
    const instruction = moment.code.find(line => line.address === moment.next?.rip)?.text ?? '';
    return {index, instruction, steps, at};
  }

  #show(micro: MicroPlace | undefined): undefined {
    const {time} = this.#store.state;
    if (time.micro !== micro) this.#store.set({time: {...time, micro}});
  }
}
