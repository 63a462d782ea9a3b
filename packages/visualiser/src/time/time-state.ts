// What the lab knows about time beside the moment: how it plays, where it stops, what is selected and found, how much of the
// run is recorded.

import {FIRST_SPEED, type PlaySpeed} from '@hyperscope/elements';
import type {Breakpoint, Hit, MicroStep, RecordSize, SelectionTotals} from '@hyperscope/trace';

export interface Finds {
  /** Closed, the finds stay for n and N. */
  readonly isOpen: boolean;
  /** As typed. */
  readonly text: string;
  readonly hits: readonly Hit[];
  /** How far the search is, or why it cannot begin. */
  readonly standing: string;
}

export interface MicroPlace {
  /** The state before the instruction. */
  readonly index: number;
  readonly instruction: string;
  readonly steps: readonly MicroStep[];
  /** The micro-operation that was done last. */
  readonly at: number;
}

export interface TimeState {
  readonly speed: PlaySpeed;
  readonly breakpoints: readonly Breakpoint[];
  /** Whether the line of breakpoints is open. */
  readonly isBreakpointsOpen: boolean;
  /** A long run or search that is going on: what, and how far. */
  readonly busy: string | undefined;
  readonly selection: SelectionTotals | undefined;
  /** Undefined until something is looked for. */
  readonly finds: Finds | undefined;
  readonly micro: MicroPlace | undefined;
  readonly size: RecordSize | undefined;
  /** 'ahead': recording goes on by itself; 'waits': it goes on when the playhead does; 'full': no more. */
  readonly recording: 'ahead' | 'waits' | 'full';
}

export const FIRST_TIME: TimeState = {
  speed: FIRST_SPEED,
  breakpoints: [],
  isBreakpointsOpen: false,
  busy: undefined,
  selection: undefined,
  finds: undefined,
  micro: undefined,
  size: undefined,
  recording: 'ahead',
};

/** What belongs to a run and goes with it; speeds stay, and breakpoints, since the next machine runs the same program. */
export const newRun = (time: TimeState): TimeState => ({
  ...FIRST_TIME,
  speed: time.speed,
  breakpoints: time.breakpoints,
  isBreakpointsOpen: time.isBreakpointsOpen,
});
