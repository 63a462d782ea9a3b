// A shipped guest as an image: assembled by our own assembler, loaded in the mode that it is written for.

import {assembleGuest} from '@hyperscope/guests';
import type {AssembledGuest, Guest} from '@hyperscope/guests';
import type {LoadedImage} from './image-options.js';
import {loadRaw} from './raw.js';

export interface LoadedGuest extends LoadedImage {
  readonly assembly: AssembledGuest;
}

/** The image of a shipped guest, with the assembler's map from addresses to source lines. */
export function loadGuest(guest: Guest): LoadedGuest {
  const assembly = assembleGuest(guest);
  const loaded = loadRaw(assembly.bytes, {
    name: guest.id,
    memoryBytes: guest.memoryMiB * 2 ** 20,
    commandLine: '',
    modules: [],
    at: guest.loadAddress,
    mode: guest.mode,
    set: {},
  });
  return {...loaded, image: {...loaded.image, irqchip: guest.irqchip}, assembly};
}
