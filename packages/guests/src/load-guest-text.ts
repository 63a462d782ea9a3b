// The text of one guest, fetched when it is asked for: a page does without the others.

import {cardText} from './cards/cards.js';
import type {Guest, GuestOutline} from './guest.js';
import {PROGRAM_LOADERS} from './program-loading.generated.js';

/** The guest with its text. Rejects where a file of the program cannot be fetched. */
export async function loadGuestText(outline: GuestOutline): Promise<Guest> {
  const texts = await Promise.all(outline.programs.map(async name => PROGRAM_LOADERS[name]()));
  return {...outline, source: cardText(outline.id) ?? texts.join('')};
}
