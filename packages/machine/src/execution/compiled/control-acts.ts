// Acts that decide what runs next.

import {RFLAGS, RIP, SEGMENT, VMX_OPERATION} from '../../cpu/cell-indexes.js';
import {DONE, NEXT, REFUSED, REPEAT} from './act.js';
import type {Act} from './act.js';
import type {Place} from './value-acts.js';

const NEXT_RIP = 2 * RIP;
const FLAGS = 2 * RFLAGS;
const CODE_LIMIT = 2 * SEGMENT.CS.limit;
const OPERATION = 2 * VMX_OPERATION;
const NON_ROOT = 2;

/**
 * A condition on flags alone, as a table: bit n tells what it is where CF, PF, ZF, SF and OF are the bits of n, CF lowest.
 */
export type FlagTable = number;
export const flagIndex = (flags: number): number =>
  (flags & 1) | ((flags >>> 1) & 2) | ((flags >>> 4) & 0xc) | ((flags >>> 7) & 0x10);
/** The flags that a table is about: which of them is which bit of its index. */
export const TABLE_FLAGS = ['CF', 'PF', 'ZF', 'SF', 'OF'] as const;

/** A near branch to a place relative to the next instruction, outside 64-bit mode. `mask`: the operand size. */
export function branchOn(f: Int32Array, table: FlagTable, distance: number, mask: number): Act {
  const single = singleFlag(table);
  if (single !== undefined) {
    const {flag, wanted} = single;
    return () => {
      if ((((f[FLAGS] ?? 0) & flag) !== 0) !== wanted) return NEXT;
      const target = ((f[NEXT_RIP] ?? 0) + distance) & mask;
      if (target >>> 0 > (f[CODE_LIMIT] ?? 0) >>> 0) return REFUSED;
      f[NEXT_RIP] = target;
      return NEXT;
    };
  }
  return () => {
    if (((table >>> flagIndex(f[FLAGS] ?? 0)) & 1) === 0) return NEXT;
    const target = ((f[NEXT_RIP] ?? 0) + distance) & mask;
    if (target >>> 0 > (f[CODE_LIMIT] ?? 0) >>> 0) return REFUSED;
    f[NEXT_RIP] = target;
    return NEXT;
  };
}

/** The same in 64-bit mode. */
export function longBranchOn(f: Int32Array, table: FlagTable, distance: number): Act {
  return () => {
    if (((table >>> flagIndex(f[FLAGS] ?? 0)) & 1) === 0) return NEXT;
    return goLong(f, distance);
  };
}

function goLong(f: Int32Array, distance: number): number {
  const old = f[NEXT_RIP] ?? 0;
  const low = (old + distance) | 0;
  const carry = ((old & distance) | ((old | distance) & ~low)) >>> 31;
  const high = ((f[NEXT_RIP + 1] ?? 0) + (distance >> 31) + carry) | 0;
  if (high >> 15 !== 0 && high >> 15 !== -1) return REFUSED;
  f[NEXT_RIP] = low;
  f[NEXT_RIP + 1] = high;
  return NEXT;
}

/** Bits of RFLAGS in the order of the table's index. */
const FLAG_MASKS = [1, 4, 0x40, 0x80, 0x800] as const;

/** The flag that alone decides, where it is one. */
function singleFlag(table: FlagTable): {readonly flag: number; readonly wanted: boolean} | undefined {
  for (const flag of FLAG_MASKS) {
    let whereSet = 0;
    for (let index = 0; index < 32; index++)
      if (FLAG_MASKS.some((each, bit) => each === flag && ((index >>> bit) & 1) === 1)) whereSet |= 1 << index;
    if (table === whereSet) return {flag, wanted: true};
    if (table === ~whereSet) return {flag, wanted: false};
  }
  return undefined;
}

/** Whether a condition on flags holds, as a value. */
export function flagCondition(f: Int32Array, to: number, table: FlagTable): Act {
  return () => ((f[to] = (table >>> flagIndex(f[FLAGS] ?? 0)) & 1), NEXT);
}

/** The target must lie in CS; in 64-bit mode it must be canonical. */
export function checkTarget(f: Int32Array, target: Place, when: number | undefined, mode: 'long' | 'legacy'): Act {
  const {low, high} = target;
  if (mode === 'long')
    return () => {
      if (when !== undefined && f[when] !== 1) return NEXT;
      const upper = (f[high] ?? 0) >> 15;
      return upper === 0 || upper === -1 ? NEXT : REFUSED;
    };
  return () => {
    if (when !== undefined && f[when] !== 1) return NEXT;
    return f[high] === 0 && (f[low] ?? 0) >>> 0 <= (f[CODE_LIMIT] ?? 0) >>> 0 ? NEXT : REFUSED;
  };
}

export function jump(f: Int32Array, target: Place, when: number | undefined): Act {
  const {low, high} = target;
  return () => {
    if (when !== undefined && f[when] !== 1) return NEXT;
    f[NEXT_RIP + 1] = f[high] ?? 0;
    f[NEXT_RIP] = f[low] ?? 0;
    return NEXT;
  };
}

/** Whoever repeats finds RIP put back by the caller. */
export const repeatIf =
  (f: Int32Array, when: number): Act =>
  () =>
    f[when] === 1 ? REPEAT : NEXT;
export const finishIf =
  (f: Int32Array, when: number): Act =>
  () =>
    f[when] === 1 ? DONE : NEXT;
/** A fault: its checks and its sentence are the reference tier's. */
export const refuseIf =
  (f: Int32Array, when: number): Act =>
  () =>
    f[when] === 1 ? REFUSED : NEXT;
/** Whether a guest is left here is for the virtualization unit to say. */
export const refuseInGuest =
  (f: Int32Array): Act =>
  () =>
    f[OPERATION] === NON_ROOT ? REFUSED : NEXT;
