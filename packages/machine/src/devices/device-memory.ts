// The guest's RAM as a device reaches it by itself: direct memory access. Addresses are guest-physical; whoever wires the
// board knows where they lie.

import {hpa} from '@hyperscope/base';
import type {PhysicalMemory} from '../mmu/physical-memory.js';

export interface DeviceMemory {
  /** A copy of the bytes; undefined where they do not all lie in RAM. */
  read(gpa: number, length: number): Uint8Array | undefined;
  /** False, with nothing written, where they do not all lie in RAM that may be written. */
  write(gpa: number, bytes: Uint8Array): boolean;
}

/** The guest's RAM where `place` finds it in host-physical memory: undefined for what is no RAM, or may not be written. */
export function ramOf(
  memory: PhysicalMemory,
  place: (gpa: number, length: number, access: 'read' | 'write') => number | undefined,
): DeviceMemory {
  return {
    read: (gpa, length) => {
      const at = place(gpa, length, 'read');
      return at === undefined ? undefined : memory.bytes.slice(at, at + length);
    },
    write: (gpa, bytes) => {
      const at = place(gpa, bytes.length, 'write');
      if (at !== undefined) memory.load(hpa(at), bytes);
      return at !== undefined;
    },
  };
}
