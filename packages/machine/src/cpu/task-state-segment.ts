// Where a TSS keeps what, in its two sizes. SDM vol. 3A, "Task-State Segment (TSS)", "16-Bit Task-State Segment (TSS)".

import {GENERAL_REGISTERS} from '@hyperscope/isa';

export interface TssLayout {
  /** Bytes of one slot. */
  readonly bytes: 2 | 4;
  /** The smallest limit: the last byte of what is loaded. */
  readonly limit: number;
  readonly ip: number;
  readonly flags: number;
  /** The first of eight general registers, in encoding order. */
  readonly general: number;
  /** The first selector, in encoding order. */
  readonly selectors: number;
  readonly selectorCount: 4 | 6;
  readonly ldt: number;
  /** CR3 and the T bit: only the 32-bit TSS has them. */
  readonly cr3: number | undefined;
  readonly trap: number | undefined;
}

export const LAYOUTS: Readonly<Record<16 | 32, TssLayout>> = {
  16: {
    bytes: 2,
    limit: 0x2b,
    ip: 0x0e,
    flags: 0x10,
    general: 0x12,
    selectors: 0x22,
    selectorCount: 4,
    ldt: 0x2a,
    cr3: undefined,
    trap: undefined,
  },
  32: {
    bytes: 4,
    limit: 0x67,
    ip: 0x20,
    flags: 0x24,
    general: 0x28,
    selectors: 0x48,
    selectorCount: 6,
    ldt: 0x60,
    cr3: 0x1c,
    trap: 0x64,
  },
};

export const GENERAL_IN_TSS = GENERAL_REGISTERS.slice(0, 8);
export const SELECTORS_IN_TSS = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'] as const;
