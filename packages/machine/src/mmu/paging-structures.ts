// The three formats of page tables, as data for one walk.
// SDM vol. 3A, "32-Bit Paging", "PAE Paging", "4-Level Paging and 5-Level Paging".
//
//   4-level   63    62…52   51…M     M-1…12              11…9  8  7   6  5  4    3    2    1    0
//   entry     XD    ignored reserved physical address    avail G  PS  D  A  PCD  PWT  U/S  R/W  P     (M: MAXPHYADDR)

import type {PagingMode} from '../cpu/modes.js';

export const PTE_PRESENT = 1n;
export const PTE_WRITABLE = 1n << 1n;
export const PTE_USER = 1n << 2n;
export const PTE_ACCESSED = 1n << 5n;
export const PTE_DIRTY = 1n << 6n;
export const PTE_LARGE = 1n << 7n;
export const PTE_GLOBAL = 1n << 8n;
export const PTE_NO_EXECUTE = 1n << 63n;

/** One level of a walk: which bits of the linear address choose the entry, and what a large page there would be. */
export interface PagingLevel {
  readonly level: number;
  readonly name: string;
  readonly shift: bigint;
  readonly indexBits: number;
  readonly entryBytes: 4 | 8;
  /** log2 of the page that an entry with PS maps; undefined where PS is not allowed. */
  readonly largeBits: number | undefined;
  /** The entry has no R/W, U/S, A: the PDPTE of PAE paging. */
  readonly isPointerOnly: boolean;
}

const level = (
  number: number,
  name: string,
  shift: bigint,
  indexBits: number,
  entryBytes: 4 | 8,
  largeBits?: number,
): PagingLevel => ({level: number, name, shift, indexBits, entryBytes, largeBits, isPointerOnly: false});

const FOUR_LEVEL: readonly PagingLevel[] = [
  level(4, 'PML4E', 39n, 9, 8),
  level(3, 'PDPTE', 30n, 9, 8, 30),
  level(2, 'PDE', 21n, 9, 8, 21),
  level(1, 'PTE', 12n, 9, 8),
];
const PAE: readonly PagingLevel[] = [
  {...level(3, 'PDPTE', 30n, 2, 8), isPointerOnly: true},
  level(2, 'PDE', 21n, 9, 8, 21),
  level(1, 'PTE', 12n, 9, 8),
];
const LEGACY: readonly PagingLevel[] = [level(2, 'PDE', 22n, 10, 4, 22), level(1, 'PTE', 12n, 10, 4)];

/** The levels of a walk, root first. */
export function levelsOf(mode: Exclude<PagingMode, 'none'>): readonly PagingLevel[] {
  switch (mode) {
    case '4-level':
      return FOUR_LEVEL;
    case 'PAE':
      return PAE;
    default:
      return LEGACY;
  }
}

const range = (high: number, low: number): bigint => ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);

/** Physical address of the root table: CR3 without its flags. */
export function rootOf(mode: Exclude<PagingMode, 'none'>, cr3: bigint): number {
  switch (mode) {
    case '4-level':
      return Number(cr3 & range(51, 12));
    case 'PAE':
      return Number(cr3 & range(31, 5));
    default:
      return Number(cr3 & range(31, 12));
  }
}

/** Where the table (or 4 KiB page) that an entry points to starts. */
export function addressIn(entry: bigint): number {
  return Number(entry & range(51, 12));
}

/**
 * Where the large page that an entry maps starts. A 4 MiB entry keeps address bits 39:32 in its bits 20:13 (PSE-36).
 */
export function largeAddressIn(entry: bigint, pageBits: number): number {
  if (pageBits === 22) return Number(entry & range(31, 22)) + Number((entry & range(20, 13)) >> 13n) * 2 ** 32;
  return Number(entry & range(51, pageBits));
}

export interface PagingFeatures {
  readonly physicalAddressBits: number;
  readonly noExecute: boolean;
  readonly gigabytePages: boolean;
  /** PSE-36: 4 MiB pages beyond 4 GiB. */
  readonly pse36: boolean;
}

/** The bits of an entry that must be 0. */
export function reservedBits(at: PagingLevel, isLarge: boolean, features: PagingFeatures): bigint {
  const width = features.physicalAddressBits;
  if (at.entryBytes === 4) return isLarge ? range(21, (features.pse36 ? Math.min(width, 40) : 32) - 19) : 0n;
  const beyond = width < 52 ? range(51, width) : 0n;
  if (at.isPointerOnly) return range(63, 52) | beyond | 0x1e6n;
  // PAE entries have no ignored bits 62:52; 4-level entries have, but telling them apart is the root's level.
  const top = features.noExecute ? 0n : PTE_NO_EXECUTE;
  if (at.level === 4) return beyond | top | PTE_LARGE;
  if (!isLarge) return beyond | top;
  if (at.level === 3 && !features.gigabytePages) return beyond | top | PTE_LARGE;
  return beyond | top | range((at.largeBits ?? 21) - 1, 13);
}
