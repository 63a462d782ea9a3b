// Puts bytes into guest-physical memory and refuses what does not fit, with a sentence that says how to make room.

import {UserError, gpa, hex} from '@hyperscope/base';
import type {GuestImage} from '@hyperscope/vmm';

export type Segment = GuestImage['segments'][number];

/** Refuses a stretch that does not lie in memory of `memoryBytes` bytes. UserError: image-too-large. */
export function checkRoom(address: number, length: number, memoryBytes: number, what: string): void {
  if (address >= 0 && address + length <= memoryBytes) return;
  const needed = Math.ceil((address + length) / 2 ** 20);
  throw new UserError(
    'image-too-large',
    address < 0
      ? `${what} does not fit into memory of ${memoryBytes} bytes. Give the machine more with --memory.`
      : `${what} needs guest-physical ${hex(address)} to ${hex(address + length)}, but memory ends at ${hex(memoryBytes)}. Give the machine more with --memory ${needed} (MiB).`,
  );
}

/** The bytes at an address, which must lie in memory of `memoryBytes` bytes. */
export function placed(address: number, bytes: Uint8Array, memoryBytes: number, what: string): Segment {
  checkRoom(address, bytes.length, memoryBytes, what);
  return {gpa: gpa(address), bytes};
}

/** Whether two stretches of memory share a byte. */
export const overlaps = (a: Segment, b: Segment): boolean =>
  a.gpa < b.gpa + b.bytes.length && b.gpa < a.gpa + a.bytes.length;

export const alignUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;
