// What runs a decoded instruction. There may be several tiers; each must leave the same state and pass the same tests.

import type {Microcode, Operation} from '@hyperscope/isa';
import type {Trouble} from '../cpu/trouble.js';

/** 'completed': the instruction is done. 'repeats': one iteration is done and RIP is at the instruction again. */
export type ExecutionResult = 'completed' | 'repeats' | Trouble;

/** Sees each operation of an instruction with the value that it gave (undefined for effects). */
export type TraceOperation = (index: number, operation: Operation, value: bigint | undefined) => void;

export interface Executor {
  /**
   * Runs one instruction. RIP holds the next instruction's address already; with trouble the caller puts it back, and
   * nothing else has changed: the recorder has made sure that whatever may fault comes before whatever commits.
   */
  execute(microcode: Microcode): ExecutionResult;
  /** Set while somebody looks inside an instruction. */
  traceOperations: TraceOperation | undefined;
}
