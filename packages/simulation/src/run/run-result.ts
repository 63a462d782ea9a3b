// The result of a run as JSON: the contract with programs that judge guests which nobody here wrote.

import type {RunOutcome, VirtualMachineAccount} from '@hyperscope/vmm';
import type {TranslationStatistics} from './translation-counts.js';

export const RESULT_OUTCOMES = [
  'halted',
  'debug-exit',
  'power-off',
  'stop-serial',
  'triple-fault',
  'limit',
  'unsupported',
  'kvm-failure',
  'error',
] as const;
export type ResultOutcome = (typeof RESULT_OUTCOMES)[number];

/** One of several virtual machines. Cycles and counts are those of its account. */
export interface MachineResult extends VirtualMachineAccount {
  readonly name: string;
  /** 'waits': it was still there at the end of the run, and waited for what did not come. */
  readonly outcome: RunOutcome['kind'] | 'waits';
  readonly message: string;
  /** What it sent to its first serial port. */
  readonly serial: string;
  /** Its part of all cycles that were charged to somebody, 0 to 1. */
  readonly share: number;
}

export interface RunResult {
  readonly schema: 1;
  readonly engine: 'simulated' | 'kvm';
  readonly technique: string;
  readonly outcome: ResultOutcome;
  /** What the guest wrote to the exit port, as (value << 1) | 1; null unless the outcome is 'debug-exit'. */
  readonly debugExit: number | null;
  /** Guest instructions that completed; each iteration of a repeated string instruction counts. */
  readonly instructions: number;
  readonly cycles: number;
  readonly seconds: number;
  /** VM exits by the manual's name of their reason. */
  readonly exits: Readonly<Record<string, number>>;
  /** What the shadow MMU did, where there is one: `hiddenFaults`, `trueFaults`, … */
  readonly shadowPaging?: Readonly<Record<string, number>>;
  /** What the translator of kernel code did, where there is one. */
  readonly translation?: TranslationStatistics;
  /** Several virtual machines on one processor: what each printed, how it ended, what it was charged for. */
  readonly virtualMachines?: readonly MachineResult[];
  /** Exceptions raised by the guest, by vector. */
  readonly exceptions: Readonly<Record<string, number>>;
  /** The guest's registers at the end, by cell name in lower case: `rax`, `cs.base`. */
  readonly registers: Readonly<Record<string, string>>;
  /** The dumps that were asked for: address to bytes, hexadecimal. */
  readonly memory: Readonly<Record<string, string>>;
  /** Values written to ports other than the serial port, in order (the first 4096 of each). */
  readonly ports: Readonly<Record<string, readonly number[]>>;
  /** How often a port was used at which nothing answers. */
  readonly unknownPorts: Readonly<Record<string, number>>;
  readonly unsupported: readonly {readonly address: string; readonly bytes: string; readonly what: string}[];
  /** One sentence on how the run ended; the post-mortem of a triple fault. */
  readonly message: string;
}
