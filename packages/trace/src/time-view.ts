// What a page asks of time besides moments: totals of a stretch, finds, runs to a breakpoint, the micro-operations of one
// instruction, and how much memory the record takes. Long questions are asked slice by slice, so that the one who answers
// hears in between that the asker has changed their mind.

import type {Actor, StepKind} from './record-format.js';
import {GRANULARITIES} from './session-view.js';

/** What happened between two moments. */
export interface SelectionTotals {
  /** Cycle counter at both ends. */
  readonly fromCycle: number;
  readonly toCycle: number;
  /** The states that the counter had reached there. */
  readonly fromState: number;
  readonly toState: number;
  readonly actors: readonly {
    readonly who: Actor;
    readonly cycles: number;
    /** Steps that are instructions; an iteration of a repeated one counts. */
    readonly instructions: number;
    /** Named actions of a hypervisor, deliveries of events, and what else is a step but no instruction. */
    readonly otherSteps: number;
  }[];
  /** Exits by reason, the most frequent first. */
  readonly exits: readonly {readonly reason: string; readonly count: number}[];
  /** Exceptions that the processor raised, by name: `#GP`. */
  readonly exceptions: readonly {readonly name: string; readonly count: number}[];
}

/** What is looked for. Text is compared without regard to case. */
export type SearchQuery =
  /** In what an event is called (`exit 30 · I/O instruction`) and in the text of instructions (`out dx, al`). */
  | {readonly kind: 'text'; readonly text: string}
  /** An instruction at this RIP is about to run. */
  | {readonly kind: 'address'; readonly address: bigint}
  /** A register gets this value. `register` is a cell of the record, `RAX`. */
  | {readonly kind: 'register'; readonly register: string; readonly value: bigint};

/** A place where the query holds. */
export interface Hit {
  /** The state to show: after an event, before an instruction. */
  readonly index: number;
  readonly cycle: number;
  readonly who: Actor;
  readonly kind: StepKind;
  /** `out dx, al` or `exit 30 · I/O instruction`. */
  readonly text: string;
}

export interface SearchSlice {
  readonly hits: readonly Hit[];
  /** The step at which the next slice begins; undefined at the end of what is recorded. */
  readonly next: number | undefined;
}

/** Where a run stops. An address stops before the instruction there; everything else right after it has happened. */
export type Breakpoint =
  /** RIP of an instruction of the guest. */
  | {readonly kind: 'address'; readonly address: bigint}
  /** A line of the guest's source, counted from 1. */
  | {readonly kind: 'line'; readonly line: number}
  /** A VM exit (or, on real KVM, a return of KVM_RUN) of this name: `I/O instruction`; '' for any. */
  | {readonly kind: 'exit'; readonly reason: string}
  /** An access to this I/O port by whoever runs, or a VM exit because of one. */
  | {readonly kind: 'port'; readonly port: number}
  /** A byte of guest-physical memory is written. */
  | {readonly kind: 'write'; readonly gpa: number};

export interface RunSlice {
  /** How far the slice has looked: a state. */
  readonly index: number;
  /** Which of the breakpoints was met at `index`; undefined where none was. */
  readonly hit: number | undefined;
  /** Nothing lies further that way: the run has ended, its beginning is reached, or the record is full. */
  readonly ended: boolean;
}

/** A name with the value that it had. */
export interface NamedValue {
  readonly name: string;
  readonly value: string;
}

/** One micro-operation of an instruction, as it went. */
export interface MicroStep {
  /** What it does, in words: `mem64[RSP − 8] ← RAX`. */
  readonly text: string;
  /** What it reads: registers, flags, memory, and what earlier micro-operations have found. */
  readonly reads: readonly NamedValue[];
  /** What it writes, with the value after it; where the record cannot tell, the value is `?`. */
  readonly writes: readonly NamedValue[];
}

/** How much of the machine's memory a record takes. */
export interface RecordSize {
  readonly steps: number;
  readonly events: number;
  /** Bytes, room that is kept for growth included; that of the events is estimated from samples. */
  readonly bytes: number;
  /** Bytes at which recording ahead of the reader ends. */
  readonly aheadLimit: number;
  /** Bytes at which nothing more is recorded. */
  readonly limit: number;
}

/** What one press steps over: a micro-operation of an instruction, or a granularity. */
export const STEP_SIZES = ['micro', ...GRANULARITIES] as const;
export type StepSize = (typeof STEP_SIZES)[number];

/** What of a step the play button may linger at. */
export const PLAY_STOPS = ['exit', 'ring', 'mode'] as const;
export type PlayStop = (typeof PLAY_STOPS)[number];

/** These questions beside those of a SessionClient. */
export interface TimeClient {
  /** Totals between two cycles. */
  selection(fromCycle: number, toCycle: number): SelectionTotals;
  /** Looks at up to `steps` recorded steps from step `from` on, for at most `most` hits. */
  search(query: SearchQuery, from: number, steps: number, most: number): Promise<SearchSlice>;
  /** Goes from state `from` towards a breakpoint, over at most `steps` steps; forwards it records what is not yet. The playhead stays. */
  runTo(
    breakpoints: readonly Breakpoint[],
    from: number,
    direction: 'forward' | 'back',
    steps: number,
  ): Promise<RunSlice>;
  /** Micro-operations of the step from state `index` on; empty where it is no instruction. Records it where it is not yet. */
  microSteps(index: number): Promise<readonly MicroStep[]>;
  /** Where up to `steps` steps lead from state `from`, stopping short after the first event of one of the kinds; records where needed. */
  playTo(from: number, steps: number, stops: readonly PlayStop[]): number;
  size(): RecordSize;
}
