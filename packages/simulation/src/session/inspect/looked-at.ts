// What every panel of the inspector is made from: the state at the playhead, the one before its last step, and the record.

import type {RunRecord} from '@hyperscope/trace';
import type {StateView} from '../state-view.js';

export interface LookedAt {
  readonly record: RunRecord;
  readonly state: StateView;
  /** One step earlier; the same state at 0. */
  readonly before: StateView;
  readonly index: number;
  /** The text of a recorded step's instruction; '' for steps that are none. */
  readonly textOf: (step: number) => string;
}

/** A content, or why there is none. */
export type Found<C> = {readonly content: C} | {readonly content: undefined; readonly why: string};

export const found = <C>(content: C): Found<C> => ({content});
export const nothing = (why: string): {readonly content: undefined; readonly why: string} => ({
  content: undefined,
  why,
});
