// Machinery too large to spell in microcode: far transfers, descriptor loads, interrupt return, VM entry.
// isa only names it and declares what it touches; `machine` must supply every one of HELPERS or it does not compile.

import type {Width} from './microcode.js';

/** What a helper may write, in words that `classify` and `footprint` understand. */
export type Resource =
  | 'RIP'
  | 'RSP'
  | 'RFLAGS'
  | 'IF'
  | 'CPL'
  | 'general'
  | 'segments'
  | 'GDTR'
  | 'IDTR'
  | 'LDTR'
  | 'TR'
  | 'CR0'
  | 'CR2'
  | 'CR3'
  | 'CR4'
  | 'CR8'
  | 'EFER'
  | 'MSR'
  | 'DR'
  | 'XCR0'
  | 'TLB'
  | 'cache'
  | 'memory'
  /** x87, MMX and SSE state. */
  | 'vector'
  | 'port'
  | 'activity'
  | 'VMX'
  | 'VMCS'
  | 'SVM';

export interface Helper {
  readonly name: string;
  readonly reads: readonly Resource[];
  readonly writes: readonly Resource[];
  /**
   * The part of `reads` that decides what the program gets; undefined: all of it. What only decides whether it faults, or what
   * goes into the system's own registers, is not shown to the program.
   */
  readonly shows: readonly Resource[] | undefined;
  readonly mayFault: boolean;
  /** A trap by design (INT n, SYSCALL): control arrives where the system said it should, with the system's privilege. */
  readonly entersSystem: boolean;
  /** Width of the value it gives back; undefined when it gives none. */
  readonly result: Width | undefined;
  /**
   * A sentence with {0}, {1}… for its arguments: 'CR3 ← {0}; forget every non-global translation'. {0:segment} names the
   * segment register whose number the argument is.
   */
  readonly summary: string;
}

export const helper = <N extends string>(
  name: N,
  declared: {
    reads?: readonly Resource[];
    writes?: readonly Resource[];
    shows?: readonly Resource[];
    mayFault?: boolean;
    entersSystem?: boolean;
    result?: Width;
    summary: string;
  },
): Helper & {readonly name: N} => ({
  name,
  reads: declared.reads ?? [],
  writes: declared.writes ?? [],
  shows: declared.shows,
  mayFault: declared.mayFault ?? false,
  entersSystem: declared.entersSystem ?? false,
  result: declared.result,
  summary: declared.summary,
});
