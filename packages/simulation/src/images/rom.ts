// A BIOS ROM: mapped so that it ends at 4 GiB, where the processor starts after reset, and (its last 128 KiB at the
// most) so that it ends at 1 MiB, where old software looks for it. SDM vol. 3A, "First Instruction Executed".

import {UserError, gpa} from '@hyperscope/base';
import type {ImageOptions, LoadedImage} from './image-options.js';
import {alignUp} from './place.js';
import {realModeState} from './processor-state.js';

const FOUR_GIB = 2 ** 32;
const ONE_MIB = 2 ** 20;
const MOST = 16 * ONE_MIB;
/** Below 0xe0000 lie video memory and the ROMs of cards. */
const MOST_LOW = 128 * 1024;

/** Loads a ROM. UserErrors: image-empty, image-too-large. */
export function loadRom(bytes: Uint8Array, options: ImageOptions): LoadedImage {
  if (bytes.length < 16)
    throw new UserError(
      'image-empty',
      `${options.name} has ${bytes.length} bytes; a ROM needs at least 16, since the processor starts at its last 16.`,
    );
  if (bytes.length > MOST)
    throw new UserError(
      'image-too-large',
      `${options.name} has ${bytes.length} bytes; a ROM of more than 16 MiB would cover the local APIC.`,
    );
  const rom = wholePages(bytes);
  const low = rom.slice(Math.max(0, rom.length - MOST_LOW));
  return {
    kind: 'rom',
    loadAddress: FOUR_GIB - bytes.length,
    image: {
      memoryBytes: options.memoryBytes,
      // The first lies beyond memory on purpose: whoever runs the image maps it there, read-only.
      segments: [
        {gpa: gpa(FOUR_GIB - rom.length), bytes: rom},
        {gpa: gpa(ONE_MIB - low.length), bytes: low},
      ],
      registers: realModeState({codeSelector: 0xf000, codeBase: 0xffff_0000, ip: 0xfff0, sp: 0}),
    },
  };
}

/** Memory is mapped in pages of 4 KiB: a ROM that does not fill its first one has an unprogrammed part there, all ones. */
function wholePages(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(alignUp(bytes.length, 4096)).fill(0xff);
  whole.set(bytes, whole.length - bytes.length);
  return whole;
}
