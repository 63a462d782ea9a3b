// A boot sector, or a disk image that begins with one: firmware loads its first 512 bytes to 0x7c00, enters them in real
// mode, and tells the drive's number in DL. The mark 55 AA at the end of the sector is how firmware knows one.
//
// What firmware leaves in memory behind the sector is nobody's promise. Here the rest of the image lies there, as far as
// the extended BIOS data area: a program that has outgrown its sector runs without a disk to fetch itself from.

import {UserError} from '@hyperscope/base';
import type {ImageOptions, LoadedImage} from './image-options.js';
import {placed} from './place.js';
import {realModeState} from './processor-state.js';

export const SECTOR = 512;
const BOOT_ADDRESS = 0x7c00;
/** Where the memory ends that a boot sector may count on: the extended BIOS data area begins. */
const CONVENTIONAL_END = 0x9_fc00;
const FIRST_HARD_DISK = 0x80n;

/** Whether the first sector ends in 55 AA. */
export function isBootSector(bytes: Uint8Array): boolean {
  return bytes.length >= SECTOR && bytes[510] === 0x55 && bytes[511] === 0xaa;
}

/** Loads a boot sector. UserErrors: image-bad-magic, image-too-large. */
export function loadBootSector(bytes: Uint8Array, options: ImageOptions): LoadedImage {
  if (!isBootSector(bytes)) {
    throw new UserError(
      'image-bad-magic',
      `${options.name} is no boot sector: bytes 510 and 511 must be 55 AA. For another flat binary use --as raw --at ADDRESS --mode real.`,
    );
  }
  const registers = {
    ...realModeState({codeSelector: 0, codeBase: 0, ip: BOOT_ADDRESS, sp: BOOT_ADDRESS}),
    RDX: FIRST_HARD_DISK,
  };
  return {
    kind: 'boot-sector',
    loadAddress: BOOT_ADDRESS,
    image: {
      memoryBytes: options.memoryBytes,
      startedBy: 'firmware',
      segments: [
        placed(BOOT_ADDRESS, bytes.slice(0, CONVENTIONAL_END - BOOT_ADDRESS), options.memoryBytes, options.name),
      ],
      registers,
    },
  };
}
