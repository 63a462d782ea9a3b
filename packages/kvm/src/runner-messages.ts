// What the process that runs guests and its client say to each other, over the channel of child_process.fork with
// structured clone: bigint and typed arrays pass as they are.

import type {KvmLimits, KvmStep} from './kvm-session.js';
import type {KvmRunResult, RunOnKvmOptions} from './run-on-kvm.js';

/** The one message to the child. Cancelling is killing it: a thread inside KVM_RUN reads no messages. */
export interface RunRequest extends Pick<
  RunOnKvmOptions,
  'image' | 'ports' | 'singleStep' | 'insideKvm' | 'quirks' | 'serialInput'
> {
  readonly type: 'run';
  readonly limits: KvmLimits;
}

/** Bytes of memory that a step changed, as they are after it. */
export interface MemoryWrite {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export interface ObservedStep {
  readonly step: KvmStep;
  /** Pairs: index of a cell, its new value. */
  readonly cells: BigUint64Array;
  readonly writes: readonly MemoryWrite[];
}

export type RunnerMessage =
  | {readonly type: 'begin'; readonly registers: BigUint64Array}
  | {readonly type: 'steps'; readonly steps: readonly ObservedStep[]}
  | {readonly type: 'end'; readonly result: KvmRunResult}
  /** A UserError of the child. */
  | {readonly type: 'failed'; readonly code: string; readonly message: string};

const TYPES: ReadonlySet<unknown> = new Set(['begin', 'steps', 'end', 'failed']);

/** The channel carries only our own child's messages: the type is enough to tell them apart. */
export function isRunnerMessage(message: unknown): message is RunnerMessage {
  return typeof message === 'object' && message !== null && 'type' in message && TYPES.has(message.type);
}

export function isRunRequest(message: unknown): message is RunRequest {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'run';
}
