// The guests that ship, with their texts: for whoever may have all of them at hand. A page loads the text of the one that it opens
// (`loadGuestFiles`).

import {CARD_OUTLINES, cardText} from './cards/cards.js';
import {CMS_OUTLINES} from './cms-guests.js';
import {EXPERIMENT_OUTLINES} from './experiments.js';
import {GUEST_OUTLINES} from './guest-outlines.js';
import type {Guest, GuestOutline} from './guest.js';
import {PROGRAMS} from './programs.generated.js';

const withText = (outline: GuestOutline): Guest => ({
  ...outline,
  source: cardText(outline.id) ?? outline.programs.map(name => PROGRAMS[name]).join(''),
});

export const GUESTS: readonly Guest[] = GUEST_OUTLINES.map(withText);
export const EXPERIMENTS: readonly Guest[] = EXPERIMENT_OUTLINES.map(withText);
export const CMS_GUESTS: readonly Guest[] = CMS_OUTLINES.map(withText);
export const CARD_GUESTS: readonly Guest[] = CARD_OUTLINES.map(withText);

/** The guest, the experiment, the card or the single-user system with this id; undefined when there is none. */
export function findGuest(id: string): Guest | undefined {
  return [...GUESTS, ...EXPERIMENTS, ...CARD_GUESTS, ...CMS_GUESTS].find(guest => guest.id === id);
}
