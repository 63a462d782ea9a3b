// What a scenario needs of a run: the same of a session in a worker, in a test and in a terminal.

import type {Moment, RunChoice, RunRecord} from '@hyperscope/trace';

/** An instruction of the source, where the guest was assembled here. */
export interface SourcePlace {
  readonly address: bigint;
  /** From 1. */
  readonly line: number;
}

/** What of a record is looked at. */
export interface ScenarioRecord extends Pick<RunRecord, 'cycleAt' | 'eventsOf' | 'finished' | 'length' | 'outcome'> {
  readonly columns: Pick<RunRecord['columns'], 'instructionLength' | 'kind' | 'rip' | 'who'>;
}

export interface ScenarioRun {
  readonly record: ScenarioRecord;
  /** The text of a recorded step's instruction; '' for steps that are none. */
  textOf(step: number): string;
  /** By address. */
  readonly instructions: readonly SourcePlace[];
  /** NASM source of what runs. */
  readonly source: string;
  /** The state right before the guest's first instruction. */
  readonly start: number;
  /** What the guest had printed at a state. */
  printed(index: number): string;
  moment(index: number): Moment;
  /** Records up to `steps` more steps. */
  extend(steps: number): void;
}

/** Starts what was chosen. @throws UserError */
export type OpenRun = (choice: RunChoice) => ScenarioRun;
/** NASM source of a shipped guest. @throws UserError */
export type SourceOf = (guest: string) => string;
