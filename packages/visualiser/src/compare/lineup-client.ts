// What the view that compares machines asks of its worker. Everything that crosses is plain data.

import type {LaneMoment, LaneStop, LaneStrip, LaneSummary, RunChoice} from '@hyperscope/trace';

export interface LineupClient {
  /** Makes a file of the reader's a guest. @throws UserError when it is no image. */
  addImage(name: string, bytes: Uint8Array): Promise<void>;
  /** Adds a machine with its guest. @throws UserError when the guest cannot run there. */
  add(choice: RunChoice): Promise<void>;
  /** Adds a run on real KVM: a record's bytes. @throws UserError when they are none. */
  addRecord(record: Uint8Array): Promise<void>;
  /** Records up to `steps` more steps of the machine that was added last. */
  extend(steps: number): {readonly length: number; readonly finished: boolean};
  /** Lays the next machine beside the first, in the order in which they were added; undefined when all are. */
  compareNext(): LaneSummary | undefined;
  /** Instructions of the guest on the first machine: the playhead is at 0 … this. */
  instructions(): number;
  /** All machines that were compared, where the guest has come to an instruction. */
  at(instruction: number): readonly LaneMoment[];
  /** One of them. */
  moment(lane: number, instruction: number): LaneMoment;
  /** The picture of a machine that was compared. */
  strip(lane: number, columns: number): LaneStrip;
  /** Where a machine's guest has been left, or has changed its ring or mode, once more, or once less. */
  beside(stop: LaneStop, lane: number, instruction: number, direction: 'back' | 'forward'): number | undefined;
}
