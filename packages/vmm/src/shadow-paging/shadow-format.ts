// The bits of shadow entries, in the three formats that the hardware may walk.
// SDM vol. 3A, "32-Bit Paging", "PAE Paging", "4-Level Paging and 5-Level Paging".
//
//   Rights are kept in the last entry alone: what leads there allows everything, because the same shadow table may be reached
//   by several ways. A is set beforehand, and D where the entry is writable, so that the hardware has nothing to write.

import {ACC_EXEC, ACC_USER, ACC_WRITE} from './shadow-role.js';
import type {ShadowRole} from './shadow-role.js';
import type {ShadowHardware} from './ports.js';

type Format = ShadowHardware['format'];

const PRESENT = 1n;
export const SPTE_WRITABLE = 2n;
const USER = 4n;
const ACCESSED = 0x20n;
export const SPTE_DIRTY = 0x40n;
const NO_EXECUTE = 1n << 63n;
const ADDRESS = 0x000f_ffff_ffff_f000n;

export const topLevel = (format: Format): number => (format === '4-level' ? 4 : format === 'PAE' ? 3 : 2);
export const entryBytes = (format: Format): 4 | 8 => (format === '32-bit' ? 4 : 8);
const indexBits = (format: Format): number => (format === '32-bit' ? 10 : 9);

/** Entries of a shadow page: 4 in a PDPT of PAE paging. */
export function entriesOf(format: Format, level: number): number {
  if (format === 'PAE' && level === 3) return 4;
  return 1 << indexBits(format);
}

/** log2 of the bytes that one entry of a level is for. */
export const levelShift = (format: Format, level: number): number => 12 + indexBits(format) * (level - 1);

/** log2 of the bytes that one table of a level is for. */
export const tableShift = (format: Format, level: number): number => levelShift(format, level) + indexBits(format);

export function indexAt(format: Format, level: number, linear: bigint): number {
  return Number((linear >> BigInt(levelShift(format, level))) & BigInt(entriesOf(format, level) - 1));
}

export const isPresent = (entry: bigint): boolean => (entry & PRESENT) !== 0n;
export const isWritable = (entry: bigint): boolean => (entry & SPTE_WRITABLE) !== 0n;
/** The host frame that an entry points to. */
export const frameIn = (entry: bigint): number => Number((entry & ADDRESS) >> 12n);

/** An entry that leads to another shadow table. A PDPTE of PAE paging has no rights and no A. */
export function tableEntry({hardware, level}: ShadowRole, frame: number): bigint {
  const address = BigInt(frame) << 12n;
  if (hardware === 'PAE' && level === 3) return address | PRESENT;
  return address | PRESENT | SPTE_WRITABLE | USER | ACCESSED;
}

/** An entry that maps a page with given rights. A guest kernel in ring 3 reaches its own pages as a user. */
export function pageEntry(role: ShadowRole, frame: number, access: number, noExecute: 'on' | 'off'): bigint {
  let entry = (BigInt(frame) << 12n) | PRESENT | ACCESSED;
  if ((access & ACC_WRITE) !== 0) entry |= SPTE_WRITABLE | SPTE_DIRTY;
  if ((access & ACC_USER) !== 0 || role.view === 'kernel') entry |= USER;
  if ((access & ACC_EXEC) === 0 && noExecute === 'on' && role.hardware !== '32-bit') entry |= NO_EXECUTE;
  return entry;
}
