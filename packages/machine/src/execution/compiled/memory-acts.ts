// Acts that go to memory, over the data path: loads, stores, probes, and the stack. What the data path does not answer at a
// glance is refused.

import {assert} from '@hyperscope/base';
import {RSP, SEGMENT} from '../../cpu/cell-indexes.js';
import {RIGHTS_DB} from '../../cpu/modes.js';
import {NEXT, REFUSED} from './act.js';
import type {Act, ActContext} from './act.js';

const STACK = 2 * RSP;
const STACK_RIGHTS = 2 * SEGMENT.SS.attributes;

/**
 * Where an access goes. Outside 64-bit mode: segment, and base + (index << scale) + displacement in 32 bits; in 64-bit mode
 * the same without index, and the segment's base is in the base already.
 */
export interface Reach {
  readonly isLong: boolean;
  readonly segment: number;
  /** Low word; its high one, for 64-bit mode. */
  readonly base: number;
  readonly baseHigh: number;
  readonly index: number;
  readonly scale: number;
  readonly displacement: number;
}

/** Computes base + displacement in 64 bits into two words. */
export function longSum(f: Int32Array, to: number, base: number, baseHigh: number, displacement: number): Act {
  const sign = displacement >> 31;
  return () => {
    const x = f[base] ?? 0;
    const low = (x + displacement) | 0;
    f[to + 1] = ((f[baseHigh] ?? 0) + sign + (((x & displacement) | ((x | displacement) & ~low)) >>> 31)) | 0;
    f[to] = low;
    return NEXT;
  };
}

/** Finds the physical address for the acts below, as an expression of its own so that V8 inlines it. */
function locator({words: f, data}: ActContext, reach: Reach, bytes: number, access: 'read' | 'write'): () => number {
  const {segment, base, baseHigh, index, scale, displacement} = reach;
  const sign = displacement >> 31;
  if (!reach.isLong)
    return access === 'read'
      ? () => data.read(segment, ((f[base] ?? 0) + ((f[index] ?? 0) << scale) + displacement) | 0, bytes)
      : () => data.write(segment, ((f[base] ?? 0) + ((f[index] ?? 0) << scale) + displacement) | 0, bytes);
  const long = access === 'read' ? 'readLong' : 'writeLong';
  return () => {
    const x = f[base] ?? 0;
    const low = (x + displacement) | 0;
    const high = ((f[baseHigh] ?? 0) + sign + (((x & displacement) | ((x | displacement) & ~low)) >>> 31)) | 0;
    return long === 'readLong' ? data.readLong(low, high, bytes) : data.writeLong(low, high, bytes);
  };
}

/** Loads 1, 2, 4 or 8 bytes. */
export function load(context: ActContext, to: number, reach: Reach, bytes: number): Act {
  const {words: f, data} = context;
  if (bytes === 4 && !reach.isLong) return loadWord(context, to, reach);
  if (bytes === 1 && !reach.isLong) return loadByte(context, to, reach);
  const at = locator(context, reach, bytes, 'read');
  const {view} = data;
  return () => {
    const physical = at();
    if (physical < 0) return REFUSED;
    fetchInto(f, view, to, physical, bytes);
    return NEXT;
  };
}

function fetchInto(f: Int32Array, view: DataView, to: number, physical: number, bytes: number): void {
  if (bytes === 4) f[to] = view.getInt32(physical, true);
  else if (bytes === 1) f[to] = view.getUint8(physical);
  else if (bytes === 2) f[to] = view.getUint16(physical, true);
  else {
    f[to] = view.getInt32(physical, true);
    f[to + 1] = view.getInt32(physical + 4, true);
  }
}

function loadWord({words: f, data}: ActContext, to: number, reach: Reach): Act {
  const {segment, base, index, scale, displacement} = reach;
  const {view} = data;
  return () => {
    const physical = data.read(segment, ((f[base] ?? 0) + ((f[index] ?? 0) << scale) + displacement) | 0, 4);
    if (physical < 0) return REFUSED;
    f[to] = view.getInt32(physical, true);
    f[to + 1] = 0;
    return NEXT;
  };
}
function loadByte({words: f, data}: ActContext, to: number, reach: Reach): Act {
  const {segment, base, index, scale, displacement} = reach;
  const {bytes} = data;
  return () => {
    const physical = data.read(segment, ((f[base] ?? 0) + ((f[index] ?? 0) << scale) + displacement) | 0, 1);
    if (physical < 0) return REFUSED;
    f[to] = bytes[physical] ?? 0;
    return NEXT;
  };
}

/** Loads for a store to the same place that is certain to follow; `where` remembers it. */
export function loadToModify(context: ActContext, to: number, reach: Reach, bytes: number, where: number): Act {
  const {words: f, data} = context;
  const at = locator(context, reach, bytes, 'write');
  const {view} = data;
  return () => {
    const physical = at();
    if (physical < 0) return REFUSED;
    f[where] = physical;
    fetchInto(f, view, to, physical, bytes);
    return NEXT;
  };
}

/** The store that `loadToModify` promised: nothing can refuse it any more. */
export function storeBack(
  {words: f, data}: ActContext,
  from: {low: number; high: number},
  bytes: number,
  where: number,
): Act {
  const {low, high} = from;
  return () => {
    const physical = f[where] ?? 0;
    data.willWrite(physical, bytes);
    putFrom(f, data.view, physical, bytes, low, high);
    return NEXT;
  };
}

function putFrom(f: Int32Array, view: DataView, physical: number, bytes: number, low: number, high: number): void {
  if (bytes === 4) view.setInt32(physical, f[low] ?? 0, true);
  else if (bytes === 1) view.setInt8(physical, f[low] ?? 0);
  else if (bytes === 2) view.setInt16(physical, f[low] ?? 0, true);
  else {
    view.setInt32(physical, f[low] ?? 0, true);
    view.setInt32(physical + 4, f[high] ?? 0, true);
  }
}

/** `certain`: the place was probed, so a refusal now, after something was committed, would be our mistake. */
export function store(
  context: ActContext,
  reach: Reach,
  from: {readonly low: number; readonly high: number},
  bytes: number,
  certainty: 'may be refused' | 'probed',
): Act {
  const {words: f, data} = context;
  const at = locator(context, reach, bytes, 'write');
  const {view} = data;
  const {low, high} = from;
  if (certainty === 'probed')
    return () => {
      const physical = at();
      assert(physical >= 0, 'a place that was probed takes the store');
      data.willWrite(physical, bytes);
      putFrom(f, view, physical, bytes, low, high);
      return NEXT;
    };
  if (bytes === 4 && !reach.isLong) return storeWord(context, reach, low);
  return () => {
    const physical = at();
    if (physical < 0) return REFUSED;
    data.willWrite(physical, bytes);
    putFrom(f, view, physical, bytes, low, high);
    return NEXT;
  };
}

function storeWord({words: f, data}: ActContext, reach: Reach, low: number): Act {
  const {segment, base, index, scale, displacement} = reach;
  const {view} = data;
  return () => {
    const physical = data.write(segment, ((f[base] ?? 0) + ((f[index] ?? 0) << scale) + displacement) | 0, 4);
    if (physical < 0) return REFUSED;
    data.willWrite(physical, 4);
    view.setInt32(physical, f[low] ?? 0, true);
    return NEXT;
  };
}

export function probe(context: ActContext, reach: Reach, bytes: number): Act {
  const at = locator(context, reach, bytes, 'write');
  return () => (at() < 0 ? REFUSED : NEXT);
}

// ── the stack outside 64-bit mode, 16 or 32 bits wide by SS.B ─────────────────────────────────────────────────────

export function stackTop(f: Int32Array, to: number, delta: number): Act {
  return () => {
    const top = ((f[STACK] ?? 0) + delta) | 0;
    f[to] = ((f[STACK_RIGHTS] ?? 0) & RIGHTS_DB) === 0 ? top & 0xffff : top;
    f[to + 1] = 0;
    return NEXT;
  };
}
/** All ones of the stack's width. */
export function stackMask(f: Int32Array, to: number): Act {
  return () => {
    f[to] = ((f[STACK_RIGHTS] ?? 0) & RIGHTS_DB) === 0 ? 0xffff : -1;
    f[to + 1] = 0;
    return NEXT;
  };
}
/** A 16-bit stack keeps the upper bits of the pointer. */
export function moveStack(f: Int32Array, delta: number): Act {
  return () => {
    const old = f[STACK] ?? 0;
    const top = (old + delta) | 0;
    if (((f[STACK_RIGHTS] ?? 0) & RIGHTS_DB) === 0) f[STACK] = (old & ~0xffff) | (top & 0xffff);
    else {
      f[STACK] = top;
      f[STACK + 1] = 0;
    }
    return NEXT;
  };
}
export function moveLongStack(f: Int32Array, delta: number): Act {
  return longSum(f, STACK, STACK, STACK + 1, delta);
}

/** Store and move at once: a push of 4 bytes. */
export function pushWord({words: f, data}: ActContext, ss: number, from: number): Act {
  const {view} = data;
  return () => {
    const old = f[STACK] ?? 0;
    const isSmall = ((f[STACK_RIGHTS] ?? 0) & RIGHTS_DB) === 0;
    const top = isSmall ? (old - 4) & 0xffff : (old - 4) | 0;
    const physical = data.write(ss, top, 4);
    if (physical < 0) return REFUSED;
    data.willWrite(physical, 4);
    view.setInt32(physical, f[from] ?? 0, true);
    if (isSmall) f[STACK] = (old & ~0xffff) | top;
    else {
      f[STACK] = top;
      f[STACK + 1] = 0;
    }
    return NEXT;
  };
}
