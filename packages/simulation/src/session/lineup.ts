// One guest on several machines, each with a session of its own, moved along by the guest's own progress: what a view that compares
// machines asks. The first machine is the reference.

import {UserError, assertExists} from '@hyperscope/base';
import {LaneProgress, laneByLane} from '@hyperscope/trace';
import type {LaneMoment, LaneStrip, LaneSummary, Moment, RunRecord} from '@hyperscope/trace';
import {guestCellsAt} from './guest-view.js';

/** A session, live or played. */
interface Lived {
  readonly record: RunRecord;
  seek(index: number): Moment;
}

/** The most machines beside each other. */
const MOST_LANES = 9;

export class Lineup {
  readonly #sessions: Lived[] = [];
  #progress: readonly LaneProgress[] = [];
  #instructions = 0;

  /** Adds a machine; its run is recorded by whoever has the session. UserError: too-many-lanes. */
  add(session: Lived): void {
    if (this.#sessions.length >= MOST_LANES)
      throw new UserError('too-many-lanes', `At most ${MOST_LANES} machines stand beside each other: leave one out.`);
    this.#sessions.push(session);
  }

  /** Lays all lanes beside the first, one after the other. All runs must be recorded as far as they are to be compared. */
  *compare(): Generator<LaneSummary> {
    const [first, ...others] = this.#sessions.map(({record}) => record);
    const progress: LaneProgress[] = [];
    let reference: Int32Array = new Int32Array();
    for (const {comparison: _events, states, ...summary} of laneByLane(
      [assertExists(first, 'a comparison has a machine'), ...others],
      guestCellsAt,
    )) {
      const {record} = assertExists(this.#sessions[progress.length], 'each lane has its session');
      progress.push(new LaneProgress(record, states));
      this.#instructions = states.length - 1;
      this.#progress = [...progress];
      if (progress.length === 1) reference = states;
      const {wrongStep} = summary;
      const wrongAt = wrongStep && reference.findIndex(state => state >= wrongStep.at.reference);
      yield {...summary, wrongAt};
    }
  }

  /** Instructions of the reference: the playhead of all lanes is at 0 … this. */
  get instructions(): number {
    return this.#instructions;
  }

  /** Every lane that has been compared, where the guest has come to that instruction. */
  at(instruction: number): readonly LaneMoment[] {
    return this.#progress.map((lane, index) => {
      const standing = lane.at(instruction);
      const moment = assertExists(this.#sessions[index], 'each lane has its session').seek(standing.state);
      const {who, cpl, operation, why, serial} = moment;
      return {...standing, who, cpl, operation, title: why.title, sentence: why.sentences[0] ?? '', serial};
    });
  }

  /** The nearest instruction by which a lane has been left once more, or once less; undefined when there is none. */
  besideExit(lane: number, instruction: number, direction: 'back' | 'forward'): number | undefined {
    return this.#progress[lane]?.besideExit(instruction, direction);
  }

  /** The picture of every lane that has been compared, in so many columns. */
  strips(columns: number): readonly LaneStrip[] {
    return this.#progress.map(lane => lane.strip(columns));
  }
}
