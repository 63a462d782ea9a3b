// One guest on several machines, each with a session of its own, moved along by the guest's own progress: what a view that compares
// machines asks. The first machine is the reference.

import {UserError, assertExists} from '@hyperscope/base';
import {LaneProgress, laneByLane} from '@hyperscope/trace';
import type {
  Lane,
  LaneMoment,
  LaneReason,
  LaneStop,
  LaneStrip,
  LaneSummary,
  Moment,
  RunRecord,
} from '@hyperscope/trace';
import {guestCellsAt} from './guest-view.js';

/** A session, live or played. */
interface Lived {
  readonly record: RunRecord;
  seek(index: number): Moment;
}

/** The most machines beside each other. */
const MOST_LANES = 9;
/** Sentences that tell why the guest was left: what it did, and what decided. */
const MOST_SENTENCES = 3;

export class Lineup {
  readonly #sessions: Lived[] = [];
  readonly #progress: LaneProgress[] = [];
  readonly #lanes = laneByLane(this.#records(), guestCellsAt);
  #reference: Int32Array = new Int32Array(1);

  /** Adds a machine; its run is recorded by whoever has the session. UserError: too-many-lanes. */
  add(session: Lived): void {
    if (this.#sessions.length >= MOST_LANES)
      throw new UserError('too-many-lanes', `At most ${MOST_LANES} machines stand beside each other: leave one out.`);
    this.#sessions.push(session);
  }

  /**
   * Lays the next machine that was added beside the first; undefined when all are. Its run must be recorded as far as it is to be
   * compared. More machines may be added afterwards.
   */
  compareNext(): LaneSummary | undefined {
    if (this.#progress.length === this.#sessions.length) return undefined;
    const {value} = this.#lanes.next();
    return value === undefined ? undefined : this.#entered(value);
  }

  /** Lays all that are left beside the first, one after the other. */
  *compare(): Generator<LaneSummary> {
    for (let lane = this.compareNext(); lane !== undefined; lane = this.compareNext()) yield lane;
  }

  /** Never finished: whoever has seen all asks again when there are more. */
  *#records(): Generator<RunRecord> {
    for (let lane = 0; ; lane++) yield this.#session(lane).record;
  }

  #entered({comparison: _events, states, exits, ...summary}: Lane): LaneSummary {
    const lane = this.#progress.length;
    const progress = new LaneProgress(this.#session(lane).record, states);
    this.#progress.push(progress);
    if (lane === 0) this.#reference = states;
    const {wrongStep} = summary;
    const wrongAt = wrongStep && this.#reference.findIndex(state => state >= wrongStep.at.reference);
    const reasons = exits.map((exit): LaneReason => ({
      ...exit,
      words: this.#session(lane)
        .seek(exit.first + 1)
        .why.sentences.slice(0, MOST_SENTENCES),
      firstAt: progress.instructionAfter(exit.first),
    }));
    return {...summary, exits: reasons, wrongAt: wrongAt === -1 ? undefined : wrongAt};
  }

  #session(lane: number): Lived {
    return assertExists(this.#sessions[lane], 'each lane has its session');
  }

  /** Instructions of the reference: the playhead of all lanes is at 0 … this. */
  get instructions(): number {
    return this.#reference.length - 1;
  }

  /** Every lane that has been compared, where the guest has come to that instruction. */
  at(instruction: number): readonly LaneMoment[] {
    return this.#progress.map((_, lane) => this.moment(lane, instruction));
  }

  /** A lane that has been compared, where the guest has come to that instruction. */
  moment(lane: number, instruction: number): LaneMoment {
    const standing = this.#compared(lane).at(instruction);
    const {who, cpl, operation, why, serial} = this.#session(lane).seek(standing.state);
    return {...standing, who, cpl, operation, title: why.title, sentence: why.sentences[0] ?? '', serial};
  }

  /**
   * The nearest instruction by which a lane's guest has been left, or has changed its ring or mode, once more or once less;
   * undefined when there is none.
   */
  beside(stop: LaneStop, lane: number, instruction: number, direction: 'back' | 'forward'): number | undefined {
    return this.#compared(lane).beside(stop, instruction, direction);
  }

  /** The picture of a lane that has been compared, in so many columns. */
  strip(lane: number, columns: number): LaneStrip {
    return this.#compared(lane).strip(columns);
  }

  #compared(lane: number): LaneProgress {
    return assertExists(this.#progress[lane], 'the lane has been compared');
  }
}
