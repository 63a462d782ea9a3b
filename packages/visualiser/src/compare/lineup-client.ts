// What the view that compares machines asks of its worker. Everything that crosses is plain data.

import type {LaneMoment, LaneStrip, LaneSummary, RunChoice} from '@hyperscope/trace';

export interface LineupClient {
  /** Adds a machine with its guest. @throws UserError when the guest cannot run there. */
  add(choice: RunChoice): Promise<void>;
  /** Adds a run on real KVM: a record's bytes. @throws UserError when they are none. */
  addRecord(record: Uint8Array): Promise<void>;
  /** Records up to `steps` more steps of the machine that was added last. */
  extend(steps: number): {readonly length: number; readonly finished: boolean};
  /** Compares the next machine with the first, in the order in which they were added; undefined after the last. */
  compareNext(): LaneSummary | undefined;
  /** Instructions of the guest on the first machine: the playhead is at 0 … this. */
  instructions(): number;
  /** All machines that were compared, where the guest has come to an instruction. */
  at(instruction: number): readonly LaneMoment[];
  strips(columns: number): readonly LaneStrip[];
  /** Where a machine's guest has been left once more, or once less. */
  besideExit(lane: number, instruction: number, direction: 'back' | 'forward'): number | undefined;
}
