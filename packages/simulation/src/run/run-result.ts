// The result of a run as JSON: the contract with programs that judge guests which nobody here wrote.

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
