// The picture of a card, fetched when a card is open: it runs the card's kernel on several machines, and other guests do without.

import {STEALTH_CARDS} from '@hyperscope/guests';
import type {cardPicture} from './card-picture.js';

/** What is shown of the card whose guest has this id; undefined where the guest is no card. Runs the kernel in every ring. */
export async function loadCardPicture(id: string): Promise<ReturnType<typeof cardPicture>> {
  if (!STEALTH_CARDS.some(card => card.id === id)) return undefined;
  const picture = await import('./card-picture.js');
  return picture.cardPicture(id);
}
