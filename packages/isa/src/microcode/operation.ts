// One step of microcode: what an operation is, and the names of everything that operations speak of.

import type {GeneralRegister, SegmentRegister} from '../registers/cells.js';
import type {VectorCell} from '../registers/vector-state.js';
import type {Helper} from './helper.js';
import type {Intercept} from './intercept.js';
import type {LaneOperation, LaneWidth} from './lane-operations.js';

export type Width = 1 | 8 | 16 | 32 | 64 | 128;
export type BinaryOperation =
  | 'add'
  | 'sub'
  | 'and'
  | 'or'
  | 'xor'
  | 'mul'
  | 'divu'
  | 'remu'
  | 'divs'
  | 'rems'
  | 'shl'
  | 'shr'
  | 'sar'
  | 'eq'
  | 'ne'
  | 'gtu'
  | 'ltu'
  | 'lts'
  | 'pdep'
  | 'pext'
  | 'crc32';
export type UnaryOperation = 'not' | 'neg' | 'zext' | 'sext' | 'trunc' | 'parity' | 'ctz' | 'msb' | 'popcnt' | 'bswap';

/** The flags of RFLAGS that instructions set one by one, with their bit numbers. */
export const FLAG_BITS = {
  CF: 0,
  PF: 2,
  AF: 4,
  ZF: 6,
  SF: 7,
  TF: 8,
  IF: 9,
  DF: 10,
  OF: 11,
  NT: 14,
  RF: 16,
  AC: 18,
  VIF: 19,
  VIP: 20,
} as const;
export type Flag = keyof typeof FLAG_BITS;

/** State that microcode reads by name, apart from general registers and single flags. */
export type StateName =
  | 'CPL'
  | 'IOPL'
  | 'VM'
  | 'PE'
  | 'TSC_AUX'
  | 'XCR0'
  | 'RFLAGS'
  | 'RIP'
  | 'CR0'
  | 'CR2'
  | 'CR3'
  | 'CR4'
  | 'CR8'
  | 'EFER'
  | 'UMIP'
  /** All ones of the stack's width: 64 bits in 64-bit mode, else 32 or 16 by SS.D/B. */
  | 'stackMask'
  | 'GDTR.base'
  | 'GDTR.limit'
  | 'IDTR.base'
  | 'IDTR.limit'
  | 'LDTR.selector'
  | 'TR.selector'
  | 'FS.base'
  | 'GS.base'
  | `${SegmentRegister}.selector`;

/** How arithmetic sets OF SF ZF AF PF CF from its operands and result. */
export type FlagRule = 'add' | 'adc' | 'sub' | 'sbb' | 'logic' | 'inc' | 'dec';

export type ExceptionName =
  | '#DE'
  | '#DB'
  | '#BP'
  | '#OF'
  | '#BR'
  | '#UD'
  | '#NM'
  | '#DF'
  | '#TS'
  | '#NP'
  | '#SS'
  | '#GP'
  | '#PF'
  | '#MF'
  | '#AC';

/** What a memory access is for: `modify` is a read whose write is certain to follow, so it needs write permission. */
export type Access = 'read' | 'write' | 'modify';

/**
 * Operations refer to earlier ones by index and are carried out in the order of the list; an operation that gives no value
 * is an effect. A register, flag or state is read when its operation's turn comes, so one that is recorded after an effect
 * sees what the effect did.
 */
export type Operation =
  | {readonly op: 'constant'; readonly value: bigint; readonly width: Width}
  | {readonly op: 'register'; readonly register: GeneralRegister; readonly high: boolean; readonly width: Width}
  | {readonly op: 'flag'; readonly flag: Flag; readonly width: 1}
  | {readonly op: 'state'; readonly state: StateName; readonly width: Width}
  /** The address of the next instruction. */
  | {readonly op: 'nextRip'; readonly width: Width}
  | {
      readonly op: 'load';
      readonly segment: SegmentRegister;
      readonly offset: number;
      readonly width: Width;
      readonly access: Access;
    }
  | {
      readonly op: 'binary';
      readonly operation: BinaryOperation;
      readonly a: number;
      readonly b: number;
      readonly width: Width;
    }
  | {readonly op: 'unary'; readonly operation: UnaryOperation; readonly a: number; readonly width: Width}
  /** high:low, 2 × 64 bits at the most. */
  | {readonly op: 'concat'; readonly high: number; readonly low: number; readonly width: Width}
  | {readonly op: 'choose'; readonly condition: number; readonly a: number; readonly b: number; readonly width: Width}
  /** The stack pointer plus `delta`, wrapped to the width of the stack: 64 bits in 64-bit mode, else by SS.D/B. */
  | {readonly op: 'stackTop'; readonly delta: bigint; readonly width: 64}
  | {readonly op: 'call'; readonly helper: Helper; readonly args: readonly number[]; readonly width: Width}
  /** The low `width` bits of a cell of the x87, MMX and SSE state. */
  | {readonly op: 'vector'; readonly cell: VectorCell; readonly width: Width}
  | {
      readonly op: 'lanes';
      readonly operation: LaneOperation;
      readonly lane: LaneWidth;
      readonly a: number;
      readonly b: number;
      readonly width: Width;
    }
  | Effect;

export type Effect =
  | {
      readonly op: 'setRegister';
      readonly register: GeneralRegister;
      readonly high: boolean;
      readonly value: number;
      readonly width: Width;
    }
  /** Writes the low `width` bits of a cell; the others keep their value. */
  | {readonly op: 'setVector'; readonly cell: VectorCell; readonly value: number; readonly width: Width}
  /** Checks that a store of this size would succeed, before anything is committed. */
  | {readonly op: 'probe'; readonly segment: SegmentRegister; readonly offset: number; readonly bytes: number}
  | {
      readonly op: 'store';
      readonly segment: SegmentRegister;
      readonly offset: number;
      readonly value: number;
      readonly width: Width;
    }
  | {
      readonly op: 'setFlags';
      readonly rule: FlagRule;
      readonly a: number;
      readonly b: number;
      readonly result: number;
      readonly width: Width;
    }
  /** Adds `delta` to the stack pointer at the width of the stack. */
  | {readonly op: 'moveStack'; readonly delta: bigint}
  /** Sets one flag, where `when` (an operation index) is absent or 1. `undefinedBy`: the manual leaves it undefined and this is our choice. */
  | {
      readonly op: 'setFlag';
      readonly flag: Flag;
      readonly value: number;
      readonly when: number | undefined;
      readonly isUndefined: boolean;
    }
  /** RFLAGS ← image in the bits of mask; every other bit keeps its value. */
  | {readonly op: 'writeFlags'; readonly image: number; readonly mask: number}
  | {
      readonly op: 'faultIf';
      readonly when: number;
      readonly exception: ExceptionName;
      readonly errorCode: number | undefined;
    }
  | {readonly op: 'intercept'; readonly intercept: Intercept; readonly args: readonly number[]}
  /** The target must lie inside CS (or be canonical in 64-bit mode), else #GP(0). */
  | {readonly op: 'checkTarget'; readonly target: number; readonly when: number | undefined}
  | {readonly op: 'jump'; readonly target: number; readonly when: number | undefined}
  /** Where `when` is 1 the instruction is complete: nothing below happens. */
  | {readonly op: 'finishIf'; readonly when: number}
  /** Where `when` is 1, RIP stays: the instruction runs again (REP). Interrupts are taken in between. */
  | {readonly op: 'repeatIf'; readonly when: number}
  | {readonly op: 'invoke'; readonly helper: Helper; readonly args: readonly number[]};
