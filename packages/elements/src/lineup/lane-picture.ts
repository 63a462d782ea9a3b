// One machine in a comparison, as a row needs it: plain values, so that the row knows no simulator.

import type {Actor, LaneMoment, LaneStrip, LaneSummary} from '@hyperscope/trace';
import type {StageHost} from '../actors.js';

/** A lane before and after it has been compared. */
export type LanePicture = {
  /** Technique id, or `kvm`. */
  readonly id: string;
  readonly title: string;
  /** What keeps the guest apart there. */
  readonly host: StageHost;
} & (
  | {readonly kind: 'waiting'}
  /** How it stands, in words: `running, 1,200 steps so far`. */
  | {readonly kind: 'running'; readonly standing: string}
  /** It cannot run this guest, or was not there: a sentence. */
  | {readonly kind: 'absent'; readonly why: string}
  | {
      readonly kind: 'compared';
      readonly summary: LaneSummary;
      readonly strip: LaneStrip | undefined;
      readonly moment: LaneMoment | undefined;
      /** The run goes on beyond what was compared: then its end is nobody's to judge. */
      readonly cut?: 'cut short' | undefined;
      /** Where the run is from, or how far it goes: a sentence. */
      readonly note?: string | undefined;
    }
);

export type ComparedLane = Extract<LanePicture, {kind: 'compared'}>;

const VERDICT_NAMES: Readonly<Record<LaneSummary['verdict'], string>> = {
  reference: 'reference',
  right: 'right',
  'state-differs': 'state differs',
  wrong: 'wrong',
};

/** The verdict in a word or two; of a run that was cut short only what it had come to is known. */
export function verdictName({summary, cut}: Pick<ComparedLane, 'cut' | 'summary'>): string {
  return isUndecided({summary, cut}) ? 'cut short' : VERDICT_NAMES[summary.verdict];
}

/** Whether a lane that was cut short is called wrong for no better reason than its missing end. */
export function isUndecided({summary, cut}: Pick<ComparedLane, 'cut' | 'summary'>): boolean {
  return cut !== undefined && summary.verdict === 'wrong' && summary.wrongStep === undefined;
}

/** `ring 1`, `root ring 0`; the ring that the processor is in, not the one that the guest believes in. */
export function laneRing({cpl, operation}: Pick<LaneMoment, 'cpl' | 'operation'>): string {
  return operation === 'none' ? `ring ${cpl}` : `${operation} ring ${cpl}`;
}

/** Cycles and counts in words that fit a column: `12,345`, `1.2 M`. */
export function shortCount(count: number | undefined): string {
  if (count === undefined) return '–';
  if (count < 1_000_000) return Math.round(count).toLocaleString('en');
  return `${(count / 1_000_000).toFixed(count < 10_000_000 ? 2 : 1)} M`;
}

/** What a lane shows in words, for who cannot see it. */
export function laneSentence(lane: LanePicture, name: (actor: Actor, host: StageHost) => string): string {
  switch (lane.kind) {
    case 'waiting':
      return `${lane.title}: waits for its turn.`;
    case 'running':
      return `${lane.title}: ${lane.standing}.`;
    case 'absent':
      return `${lane.title}: ${lane.why}`;
    case 'compared': {
      const {summary, moment} = lane;
      const verdict = `${lane.title}: ${verdictName(lane)}`;
      if (moment === undefined) return `${verdict}.`;
      const who = `${name(moment.who, lane.host)} in ${laneRing(moment)}`;
      return `${verdict}; ${who}; ${moment.exits} of ${summary.exitCount} exits, ${moment.switches} switches.`;
    }
  }
}
