// The 32 vectors that the processor keeps for itself. SDM vol. 3A, "Exception and Interrupt Reference".

import type {ExceptionName} from './microcode/microcode.js';

/** What RIP the handler sees: a fault's own instruction, a trap's next one, an abort's unreliable one. */
export type ExceptionClass = 'fault' | 'trap' | 'abort' | 'fault or trap' | 'interrupt' | 'reserved';

export interface ExceptionVector {
  readonly vector: number;
  /** `#GP`; for the vectors without one, `NMI`, `reserved`. */
  readonly name: string;
  readonly title: string;
  readonly class: ExceptionClass;
  readonly errorCode: 'none' | 'zero' | 'selector' | 'page-fault' | 'control-protection';
}

type Row = readonly [number, string, string, ExceptionClass, ExceptionVector['errorCode']];

const ROWS: readonly Row[] = [
  [0, '#DE', 'divide error', 'fault', 'none'],
  [1, '#DB', 'debug exception', 'fault or trap', 'none'],
  [2, 'NMI', 'non-maskable interrupt', 'interrupt', 'none'],
  [3, '#BP', 'breakpoint', 'trap', 'none'],
  [4, '#OF', 'overflow', 'trap', 'none'],
  [5, '#BR', 'BOUND range exceeded', 'fault', 'none'],
  [6, '#UD', 'undefined opcode', 'fault', 'none'],
  [7, '#NM', 'device not available (no math coprocessor)', 'fault', 'none'],
  [8, '#DF', 'double fault', 'abort', 'zero'],
  [9, 'CSO', 'coprocessor segment overrun', 'fault', 'none'],
  [10, '#TS', 'invalid TSS', 'fault', 'selector'],
  [11, '#NP', 'segment not present', 'fault', 'selector'],
  [12, '#SS', 'stack-segment fault', 'fault', 'selector'],
  [13, '#GP', 'general protection', 'fault', 'selector'],
  [14, '#PF', 'page fault', 'fault', 'page-fault'],
  [15, 'reserved', 'reserved', 'reserved', 'none'],
  [16, '#MF', 'x87 floating-point error', 'fault', 'none'],
  [17, '#AC', 'alignment check', 'fault', 'zero'],
  [18, '#MC', 'machine check', 'abort', 'none'],
  [19, '#XM', 'SIMD floating-point exception', 'fault', 'none'],
  [20, '#VE', 'virtualization exception', 'fault', 'none'],
  [21, '#CP', 'control-protection exception', 'fault', 'control-protection'],
  [22, 'reserved', 'reserved', 'reserved', 'none'],
  [23, 'reserved', 'reserved', 'reserved', 'none'],
  [24, 'reserved', 'reserved', 'reserved', 'none'],
  [25, 'reserved', 'reserved', 'reserved', 'none'],
  [26, 'reserved', 'reserved', 'reserved', 'none'],
  [27, 'reserved', 'reserved', 'reserved', 'none'],
  [28, 'reserved', 'reserved', 'reserved', 'none'],
  [29, 'reserved', 'reserved', 'reserved', 'none'],
  [30, 'reserved', 'reserved', 'reserved', 'none'],
  [31, 'reserved', 'reserved', 'reserved', 'none'],
];

/** By vector, 0 to 31. */
export const EXCEPTIONS: readonly ExceptionVector[] = ROWS.map(([vector, name, title, kind, errorCode]) => ({
  vector,
  name,
  title,
  class: kind,
  errorCode,
}));

/** The vector of an exception that microcode can raise: 13 for `#GP`. */
export function exceptionVector(name: ExceptionName): number {
  return EXCEPTIONS.findIndex(exception => exception.name === name);
}

/** The exception at a vector; undefined for 32 and above, which are the system's own interrupts. */
export function exceptionAt(vector: number): ExceptionVector | undefined {
  return EXCEPTIONS[vector];
}

/** Whether delivery pushes an error code. In real mode none is ever pushed. */
export function hasErrorCode(vector: number): boolean {
  const exception = EXCEPTIONS[vector];
  return exception !== undefined && exception.errorCode !== 'none';
}
