// Segment descriptors as the VMM compresses them: pushed to the guest's real ring, and cut off below the VMM's window.
// SDM vol. 3A, "Segment Descriptors". Adams and Agesen 2006, section 3; Bugnion and others, TOCS 2012, "segment truncation".

import type {SegmentValues} from '@hyperscope/machine';
import {VMM_LINEAR} from './vmm-layout.js';

const UNUSABLE = 0x1_0000;
const GRANULARITY = 0x8000;
const LONG = 0x2000;
const CODE = 8;
const EXPAND_DOWN = 4;
const SYSTEM_BIT = 0x10;
const PRESENT = 0x80;
const ACCESSED = 1;
const PAGE = 4096;

export const isUnusable = (values: SegmentValues): boolean => (values.attributes & UNUSABLE) !== 0;
export const dplOf = (values: SegmentValues): number => (values.attributes >> 5) & 3;
export const isCodeOrData = (raw: bigint): boolean => ((raw >> 44n) & 1n) === 1n;
export const isPresent = (raw: bigint): boolean => ((raw >> 47n) & 1n) === 1n;

/** What a register holds that was loaded with this descriptor of eight bytes; accessed. */
export function segmentFrom(raw: bigint, selector: number): SegmentValues {
  const attributes = Number((raw >> 40n) & 0xf0ffn) | ACCESSED;
  const limit = Number((raw & 0xffffn) | ((raw >> 32n) & 0xf_0000n));
  return {
    selector,
    base: ((raw >> 16n) & 0xff_ffffn) | ((raw >> 32n) & 0xff00_0000n),
    limit: (attributes & GRANULARITY) === 0 ? limit : limit * PAGE + PAGE - 1,
    attributes,
  };
}

/** Eight bytes that load these values. The limit must be one that its granularity can say. */
export function descriptorOf({base, limit, attributes}: SegmentValues): bigint {
  const units = BigInt((attributes & GRANULARITY) === 0 ? limit : Math.floor(limit / PAGE));
  const rights = BigInt(attributes & 0xf0ff);
  return (
    (units & 0xffffn) |
    ((base & 0xff_ffffn) << 16n) |
    (rights << 40n) |
    ((units & 0xf_0000n) << 32n) |
    ((base & 0xff00_0000n) << 32n)
  );
}

/** How far the guest's segments may reach. */
export type Reach = 'below the window' | 'everywhere';

/** Expands downwards from the last offset: there is none in it, and every access traps. */
const EMPTY: Pick<SegmentValues, 'base' | 'limit'> = {base: 0n, limit: 0xffff_ffff};
const EMPTY_RIGHTS = 0xc097;

/**
 * The same segment for a deprivileged guest: DPL `ring`, and the limit lowered so that no address of the VMM's window can be
 * formed. What would have to start inside it, or expands downwards and so ends at the top, becomes a segment without a byte:
 * each access traps, and is carried out on the virtual one.
 */
export function compressed(values: SegmentValues, ring: number, reach: Reach): SegmentValues {
  const attributes = (values.attributes & ~0x60) | (ring << 5) | ACCESSED | SYSTEM_BIT | PRESENT;
  const isLong = (attributes & (LONG | CODE)) === (LONG | CODE);
  if (isLong || reach === 'everywhere') return {...values, attributes};
  const isExpandDown = (attributes & CODE) === 0 && (attributes & EXPAND_DOWN) !== 0;
  const room = Number(VMM_LINEAR) - Number(values.base);
  if (!isExpandDown && values.limit < room) return {...values, attributes};
  // With units of 4 KiB a base inside a page costs up to a page more.
  const limit = (attributes & GRANULARITY) === 0 ? room - 1 : Math.floor(room / PAGE) * PAGE - 1;
  if (isExpandDown || limit < 0) return {...values, ...EMPTY, attributes: EMPTY_RIGHTS | (ring << 5)};
  return {...values, limit, attributes};
}

/** Whether `compressed` would leave nothing of it. */
export function isInsideWindow(values: SegmentValues): boolean {
  return compressed(values, 0, 'below the window').attributes === EMPTY_RIGHTS;
}

/** Equal in everything that matters to a running program. */
export function sameSegment(one: SegmentValues, other: SegmentValues): boolean {
  return (
    one.base === other.base &&
    one.limit === other.limit &&
    (one.attributes | ACCESSED) === (other.attributes | ACCESSED)
  );
}
