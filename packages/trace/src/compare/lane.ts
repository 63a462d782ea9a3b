// What a comparison of one guest on several machines says, as plain data: a lane for each machine. The first is the reference;
// every other is laid beside it by the guest's own progress.

import type {RecordHeader} from '../record-format.js';
import type {Comparison} from './comparison.js';

/**
 * 'right': the guest printed and ended as on the reference, and every difference of its state has a reason (a clock, CPUID, …).
 * 'state-differs': it printed and ended the same, but found something in a register or in memory that it would not have found
 * there. 'wrong': it printed something else, or ended otherwise.
 */
export const LANE_VERDICTS = ['reference', 'right', 'state-differs', 'wrong'] as const;
export type LaneVerdict = (typeof LANE_VERDICTS)[number];

/** A reason why the guest was left, as `perf kvm stat` lists them. */
export interface LaneExit {
  readonly reason: string;
  readonly count: number;
  /** Cycles from leaving the guest until it ran again, all of them together; undefined where nobody counted: on real KVM. */
  readonly cycles: number | undefined;
  readonly shortest: number | undefined;
  readonly longest: number | undefined;
  /** The step of the first, and the guest's instruction there; '' where none had a part in it. */
  readonly first: number;
  readonly instruction: string;
}

/** The first instruction of the guest after which its state is not what it is on the reference, for no reason of time or CPUID. */
export interface WrongStep {
  /** The steps in which it began: of the reference, and of this lane. */
  readonly at: {readonly reference: number; readonly lane: number};
  readonly rip: bigint;
  readonly instruction: string;
  /** What the guest finds after it. */
  readonly differences: readonly {readonly what: string; readonly reference: string; readonly lane: string}[];
  /** Who executed it, what it did there, why nobody was told, and what follows: the last sentence names the difference. */
  readonly sentences: readonly string[];
}

export interface Lane {
  /** `trap-and-emulate, simulated`; `real KVM (kvm_pvm)` */
  readonly name: string;
  readonly header: RecordHeader;
  readonly verdict: LaneVerdict;
  /** The verdict and its reason in one sentence. */
  readonly sentence: string;
  readonly steps: number;
  readonly outcome: string | undefined;
  /** What the guest printed. */
  readonly serial: string;
  /** Instructions of the guest, one that repeats itself counted once; undefined where nobody looked at each: on real KVM. */
  readonly instructions: number | undefined;
  /** By the cost model of its record; undefined on real KVM. */
  readonly cycles: number | undefined;
  /** The most frequent first. */
  readonly exits: readonly LaneExit[];
  readonly exitCount: number;
  /** Undefined where it is right, and where no single instruction is to blame: then `comparison.first` tells the difference. */
  readonly wrongStep: WrongStep | undefined;
  /** Beside the reference, event by event; undefined for the reference itself. */
  readonly comparison: Comparison | undefined;
  /**
   * For each instruction of the reference, in order, the state of this lane in which the guest has come as far; never less than
   * the one before. One entry more than instructions: the last is the end. What a scrubber over all lanes is moved along.
   */
  readonly states: Int32Array<ArrayBuffer>;
}

export interface LaneComparison {
  readonly guest: RecordHeader['guest'];
  /** As they were given; the first is the reference. */
  readonly lanes: readonly Lane[];
}
