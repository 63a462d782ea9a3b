// One thing that a guest may rely on: a small program, the state it starts from, and what must come of it. The same list
// runs on every executor, simulated and real; what a processor decides is written here and nowhere else.

import type {ExitReasonName, Flag} from '@hyperscope/isa';
import type {RegisterValues} from '../virtual-machine.js';

export interface MemoryBytes {
  readonly gpa: number;
  readonly bytes: readonly number[];
}

export interface ConformanceExpectation {
  /** Cells that are compared; general registers in full width. */
  readonly registers?: RegisterValues;
  /** Flags that are compared; the others may be undefined by the manual. */
  readonly flags?: Partial<Readonly<Record<Flag, 0 | 1>>>;
  /** Everything that was written to ports, in order: [port, value]. None where absent. */
  readonly writes?: readonly (readonly [port: number, value: number])[];
  readonly memory?: readonly MemoryBytes[];
  /** 'hlt' where absent. */
  readonly ending?: 'hlt' | 'shutdown';
  /** Under VT-x with EPT: the exits in order, EPT violations left out (they depend on what was touched before). */
  readonly hardwareExits?: readonly ExitReasonName[];
}

export interface ConformanceCase {
  /** What is promised, as a sentence. */
  readonly title: string;
  readonly mode: 'real' | 'protected' | 'long';
  /** Placed, and started, at START.code. */
  readonly code: Uint8Array;
  /** Handlers of exceptions that differ from the usual one (OUT E0h + vector, AL; HLT); at most 16 bytes each. */
  readonly handlers?: Readonly<Record<number, Uint8Array>>;
  /** On top of the mode's start state. */
  readonly registers?: RegisterValues;
  readonly memory?: readonly MemoryBytes[];
  /**
   * What of a PC the case needs: interrupt controllers and timer, or the whole board. Of the ports only those of the
   * exception handlers are compared then.
   */
  readonly devices?: 'irqchip' | 'board';
  /** The first hard disk. */
  readonly disk?: Uint8Array;
  /** Departures of known executors from the manual that this case would meet: numbers of kvm.md, 'D3'. */
  readonly quirks?: readonly string[];
  /**
   * Techniques that cannot keep the promise on the processor that is their own, with the true reason. The case runs there all
   * the same, and must fail.
   */
  readonly impossible?: Readonly<Record<string, string>>;
  readonly expect: ConformanceExpectation;
}
