// All guests and techniques that ship, at hand at once: for the command line, servers and tests. A page fetches what it needs.

import {assembleGuest, assembleInPlace, findGuest} from '@hyperscope/guests';
import type {AssembledGuest, FetchedGuest, Guest} from '@hyperscope/guests';
import {TECHNIQUES} from '@hyperscope/vmm';
import type {Technique} from '@hyperscope/vmm';
import {imageOfGuest} from './images/guest-program.js';
import type {LoadedGuest} from './images/guest-program.js';
import {unknownGuest, unknownTechnique} from './shelf.js';
import type {Shelf} from './shelf.js';

/** The technique of this id. UserError: unknown-technique. */
export function requireTechnique(id: string): Technique {
  const technique = TECHNIQUES.find(one => one.id === id);
  if (technique === undefined) throw unknownTechnique(id);
  return technique;
}

/** The shipped guest of this id. UserError: unknown-guest. */
export function requireGuest(id: string): Guest {
  const guest = findGuest(id);
  if (guest === undefined) throw unknownGuest(id);
  return guest;
}

/** The image of a shipped guest, with the assembler's map from addresses to source lines. */
export const loadGuest = (guest: Guest): LoadedGuest<AssembledGuest> => imageOfGuest(assembled(guest), guestOf);

/** Who asks for the text only, or puts another in its place, has nothing assembled. */
const assembled = (guest: Guest): FetchedGuest<AssembledGuest> => ({
  guest,
  get assembly() {
    return assembleGuest(guest);
  },
});
const guestOf = (id: string): FetchedGuest<AssembledGuest> => assembled(requireGuest(id));

export const SHIPPED: Shelf = {
  technique: requireTechnique,
  guest: guestOf,
  assembleInPlace,
  prepare: async () => Promise.resolve(),
};
