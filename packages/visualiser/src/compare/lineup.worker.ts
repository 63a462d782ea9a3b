// The half of the comparison that runs in a worker: a lineup of sessions behind a message channel.

import {FetchingShelf, Lineup, SimulationHost} from '@hyperscope/simulation';
import type {Session} from '@hyperscope/simulation';
import type {LaneMoment, LaneStop, LaneStrip, LaneSummary, RunChoice} from '@hyperscope/trace';
import type {LineupClient} from './lineup-client.js';

export class LineupLab implements LineupClient {
  readonly #host = new SimulationHost(new FetchingShelf());
  readonly #lineup = new Lineup();
  #newest: Session | undefined = undefined;

  async add({technique, guest, edited, switches = {}}: RunChoice): Promise<void> {
    const of = edited === undefined ? guest : {of: guest, source: edited};
    await this.#host.prepare({guest: of, technique});
    // Machines beside each other have different switches: each takes those that it has.
    const offered = new Set(this.#host.switches(technique, guest).map(({id}) => id));
    const session = this.#host.open({
      technique,
      guest: of,
      switches: Object.fromEntries(Object.entries(switches).filter(([id]) => offered.has(id))),
    });
    this.#lineup.add(session);
    this.#newest = session;
  }

  async addRecord(record: Uint8Array): Promise<void> {
    this.#lineup.add(await this.#host.openRecording(record));
    this.#newest = undefined;
  }

  extend(steps: number): {readonly length: number; readonly finished: boolean} {
    if (this.#newest === undefined) return {length: 0, finished: true};
    const {length, finished} = this.#newest.run(steps);
    return {length, finished};
  }

  async addImage(name: string, bytes: Uint8Array): Promise<void> {
    await this.#host.addImage(name, bytes);
  }

  compareNext(): LaneSummary | undefined {
    return this.#lineup.compareNext();
  }
  instructions(): number {
    return this.#lineup.instructions;
  }
  at(instruction: number): readonly LaneMoment[] {
    return this.#lineup.at(instruction);
  }
  moment(lane: number, instruction: number): LaneMoment {
    return this.#lineup.moment(lane, instruction);
  }
  strip(lane: number, columns: number): LaneStrip {
    return this.#lineup.strip(lane, columns);
  }
  beside(stop: LaneStop, lane: number, instruction: number, direction: 'back' | 'forward'): number | undefined {
    return this.#lineup.beside(stop, lane, instruction, direction);
  }
}
