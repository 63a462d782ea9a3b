// Where the RAM of a PC is under a hypervisor: everywhere but at the text memory of the video card, which is memory of the
// user-space VMM in no slot, so that the video card sees each access. One rule for the simulated QEMU and for real KVM.

import {VIDEO_TEXT} from '@hyperscope/machine';
import type {MmioRegion} from '@hyperscope/machine';

export interface AddressRange {
  readonly start: number;
  /** First address behind it. */
  readonly end: number;
}

/** Guest-physical ranges of RAM in a machine of so many bytes. A machine that ends before the video memory is all RAM. */
export function ramRanges(memoryBytes: number): readonly AddressRange[] {
  if (!hasVideoMemory(memoryBytes)) return [{start: 0, end: memoryBytes}];
  const low = {start: 0, end: VIDEO_TEXT.start};
  return memoryBytes > VIDEO_TEXT.end ? [low, {start: VIDEO_TEXT.end, end: memoryBytes}] : [low];
}

const hasVideoMemory = (memoryBytes: number): boolean => memoryBytes >= VIDEO_TEXT.end;

/** The video card's memory as a region of the board, or undefined where the machine ends before it. `memory` counts from GPA 0. */
export function videoMemory(
  memoryBytes: number,
  memory: {
    read(gpa: number, bytes: number): bigint;
    write(gpa: number, bytes: number, value: bigint): void;
  },
): MmioRegion | undefined {
  if (!hasVideoMemory(memoryBytes)) return undefined;
  const {start, end} = VIDEO_TEXT;
  return {
    name: 'VGA text memory',
    start,
    length: end - start,
    read: (offset, bytes) => memory.read(start + offset, bytes),
    write: (offset, bytes, value) => {
      memory.write(start + offset, bytes, BigInt.asUintN(8 * bytes, value));
    },
  };
}

/**
 * Writes that KVM may only note down, for user space to see at its next turn: none, all of the video memory as QEMU has it, or
 * its second half, which the screen does not show: so that one program can use both kinds.
 */
export type CoalescedMmio = 'off' | 'half' | 'all';

/** Where those writes are, if anywhere. */
export function coalescedZone(choice: CoalescedMmio, memoryBytes: number): AddressRange | undefined {
  if (choice === 'off' || !hasVideoMemory(memoryBytes)) return undefined;
  const {start, end} = VIDEO_TEXT;
  return {start: choice === 'all' ? start : (start + end) / 2, end};
}
