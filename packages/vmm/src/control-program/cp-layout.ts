// Where the control program keeps what is its own, below the first virtual machine's window; and where each virtual machine lies.
// All of it is host-physical, and none of it is in any page table of a guest's.
//
//   0000_1000  the nucleus: who has the processor, when it was looked at last, idle time
//   0000_2000  VMBLOK 0 … 3, 4 KiB each: name, scheduling, accounts, the vector registers while another one runs
//   0010_0000  the spool: 16 files of 256 bytes and up to 800 cards each
//   0080_0000  virtual machine 0: window 2 MiB, pool of shadow pages 6 MiB, RAM; then virtual machine 1, likewise, …

import {hpa} from '@hyperscope/base';
import type {GuestImage} from '../technique.js';
import {memorySlotsOf} from '../trap-and-emulate/guest-physical.js';
import type {MemorySlot} from '../trap-and-emulate/guest-physical.js';
import {VMM_PHYSICAL} from '../trap-and-emulate/vmm-layout.js';
import type {VmPlace} from '../trap-and-emulate/vmm-layout.js';

export const NUCLEUS = 0x1000;
export const VMBLOKS = 0x2000;
export const VMBLOK_BYTES = 0x1000;
/** More would not change what there is to see. */
export const MOST_VIRTUAL_MACHINES = 4;
export const SPOOL = 0x10_0000;

const MEGABYTE = 0x10_0000;
const LARGE_PAGE = 2 * MEGABYTE;
const POOL_OFFSET = 2 * MEGABYTE;
const RAM_OFFSET = 8 * MEGABYTE;

export interface PlacedImage {
  readonly image: GuestImage;
  readonly place: VmPlace;
  readonly slots: readonly MemorySlot[];
}

/** A place for each image, one behind the other. */
export function placeImages(images: readonly GuestImage[]): readonly PlacedImage[] {
  const placed: PlacedImage[] = [];
  let window = VMM_PHYSICAL;
  for (const image of images) {
    const pool = {start: hpa(window + POOL_OFFSET), end: hpa(window + RAM_OFFSET)};
    const place = {window, pool, ram: window + RAM_OFFSET};
    const slots = memorySlotsOf(image, place);
    placed.push({image, place, slots});
    const end = Math.max(...slots.map(slot => slot.host + slot.bytes));
    window = Math.ceil(end / LARGE_PAGE) * LARGE_PAGE;
  }
  return placed;
}
