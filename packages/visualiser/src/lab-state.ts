// Everything that the shell draws, as one value.

import type {StealthCardPicture} from '@hyperscope/elements';
import type {ExitRow, Moment, StepSize, SwitchOffer, Switches, TimelineWindow} from '@hyperscope/trace';
import type {Catalogue, CostFigures, RealComparison} from './lab-client.js';
import type {KvmAvailability} from './real-kvm.js';
import {FIRST_TIME, type TimeState} from './time/time-state.js';

export type Phase =
  | {readonly kind: 'loading'; readonly what: string}
  | {readonly kind: 'ready'}
  /** A sentence that says what was wrong and what to do. */
  | {readonly kind: 'failed'; readonly why: string};

export type RealState =
  | {readonly kind: 'idle'}
  /** `standing`: where the run is, in words. */
  | {readonly kind: 'running'; readonly standing: string}
  | {
      readonly kind: 'shown';
      readonly from: 'live' | 'recording';
      readonly why: string | undefined;
      readonly comparison: RealComparison;
    }
  | {readonly kind: 'failed'; readonly why: string};

export interface LabState {
  readonly phase: Phase;
  readonly catalogue: Catalogue;
  readonly technique: string;
  readonly guest: string;
  readonly moment: Moment | undefined;
  /** Whether `moment` is of what was opened last, or still of what was there before. */
  readonly opening: 'settled' | 'under way';
  /** NASM source of what runs. */
  readonly source: string | undefined;
  /** The same as it ships; differs from `source` while an edited program runs. */
  readonly shipped: string | undefined;
  /** The text that runs in the place of the guest's own. */
  readonly edited: string | undefined;
  /** What can be set on the chosen machine, and what was set. */
  readonly offers: readonly SwitchOffer[];
  readonly switches: Switches;
  /** Where the cycles come from. */
  readonly costs: CostFigures | undefined;
  /** What the guest gets in the other rings, where it is a stealth card. */
  readonly card: StealthCardPicture | undefined;
  readonly exits: readonly ExitRow[];
  readonly window: TimelineWindow | undefined;
  /** The whole run, for the map above the timeline. */
  readonly overview: TimelineWindow | undefined;
  readonly time: TimeState;
  readonly endCycle: number;
  readonly granularity: StepSize;
  readonly playing: boolean;
  /** What a newcomer is told to press; undefined for who has pressed it. */
  readonly hint: 'exit' | 'route' | undefined;
  readonly availability: KvmAvailability | undefined;
  readonly real: RealState;
  /** One sentence for the reader, until dismissed. */
  readonly notice: string | undefined;
}

export const FIRST_STATE: LabState = {
  phase: {kind: 'loading', what: 'Starting the simulator'},
  catalogue: {guests: [], techniques: []},
  technique: 'vtx-ept',
  guest: 'hello-kvm',
  moment: undefined,
  opening: 'settled',
  source: undefined,
  shipped: undefined,
  edited: undefined,
  offers: [],
  switches: {},
  costs: undefined,
  card: undefined,
  exits: [],
  window: undefined,
  overview: undefined,
  time: FIRST_TIME,
  endCycle: 0,
  granularity: 'instruction',
  playing: false,
  hint: undefined,
  availability: undefined,
  real: {kind: 'idle'},
  notice: undefined,
};
