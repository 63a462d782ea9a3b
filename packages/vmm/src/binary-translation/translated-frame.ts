// From an address in the translation cache back to the guest's: what makes exceptions precise. Each instruction of the cache has
// an entry in the map, in the order of their addresses, with the RIP that the guest has when the processor is there.

import type {GuestFrame, WindowReader} from '../trap-and-emulate/guest-exit.js';
import type {VirtualCpu} from '../trap-and-emulate/virtual-cpu.js';
import {CACHE_BYTES, HEADER, MAP, MAP_COUNT, MAP_ENTRY_BYTES} from './translation-layout.js';

/** What an instruction of the cache is there for. */
export const ENTRY_KINDS = ['ident', 'in-cache', 'callout', 'control', 'stub'] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

export interface MapEntry {
  readonly index: number;
  /** Offset in the cache. */
  readonly at: number;
  readonly guestRip: bigint;
  readonly kind: EntryKind;
}

/** The offset in the cache of an address there: of RIP in 64-bit mode, of EIP or IP in a segment that starts with the cache. */
export const cacheOffset = (rip: bigint): number => Number(rip & BigInt(CACHE_BYTES - 1));

/** The entry of the instruction at an offset in the cache, or that of the last one before it. */
export function mapEntryAt(window: WindowReader, offset: number): MapEntry | undefined {
  let [low, high] = [0, Number(window(HEADER + MAP_COUNT, 4))];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Number(window(MAP + middle * MAP_ENTRY_BYTES + 8, 4)) <= offset) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return undefined;
  const index = low - 1;
  const place = MAP + index * MAP_ENTRY_BYTES;
  const kind = ENTRY_KINDS[Number(window(place + 12, 4))] ?? 'ident';
  return {index, at: Number(window(place + 8, 4)), guestRip: window(place, 8), kind};
}

/** The same frame with the guest's own RIP, where the processor ran translated code. */
export function translatedFrame(frame: GuestFrame, window: WindowReader, vcpu: VirtualCpu): GuestFrame {
  if (vcpu.slot('translated') === 0) return frame;
  const entry = mapEntryAt(window, cacheOffset(frame.rip));
  return entry === undefined ? frame : {...frame, rip: entry.guestRip};
}
