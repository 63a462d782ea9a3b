// The machine: one core, its memory, its ports. (The machine helper replaces this outline; the shape stays.)

import type {Bank, Observer} from './observer.js';
import type {Core} from './cpu/core.js';

/** A program of the host that is TypeScript: where the processor arrives at one of its addresses, its next named action runs. */
export interface HostProgram {
  covers(rip: bigint): boolean;
  /** Runs the one action that RIP stands for, and moves RIP. */
  step(): void;
}

export type MachineStep =
  | {readonly kind: 'instruction'; readonly length: number}
  | {readonly kind: 'delivery'}
  | {readonly kind: 'host-action'}
  /** HLT with nothing that could wake the processor. */
  | {readonly kind: 'halted'}
  /** A triple fault outside VMX non-root operation. */
  | {readonly kind: 'shutdown'}
  | {readonly kind: 'unsupported'; readonly address: bigint; readonly bytes: Uint8Array; readonly what: string};

export interface Machine extends Core {
  readonly banks: readonly Bank[];
  hostProgram: HostProgram | undefined;
  observe(observer: Observer | undefined): void;
  /** Executes one instruction (or one iteration of a repeated one), delivers one event, or runs one host action. */
  step(): MachineStep;
}
