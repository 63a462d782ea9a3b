// The eighteen cards, in the order of the published list: first those about registers, then those about protection.
// VT-x and SVM: SDM vol. 3C, "Instructions That Cause VM Exits", "Changes to Instruction Behavior in VMX Non-Root Operation";
// APM vol. 2, "Instruction Intercepts". UMIP: SDM vol. 3A, "Control Registers".

import type {GuestOutline} from '../guest.js';
import {cardSource} from './card-source.js';
import {PROTECTION_CARDS} from './protection-cards.js';
import {REGISTER_CARDS} from './register-cards.js';
import type {StealthCard} from './stealth-card.js';

export const STEALTH_CARDS: readonly StealthCard[] = [...REGISTER_CARDS, ...PROTECTION_CARDS];

/** Each card as a guest. They are no part of the list of guests that a newcomer reads; `findOutline` knows them. */
export const CARD_OUTLINES: readonly GuestOutline[] = STEALTH_CARDS.map(card => ({
  id: card.id,
  title: `Card: ${card.mnemonic}`,
  teaches: card.story,
  programs: [],
  loadAddress: 0x8000,
  mode: 'protected',
  memoryMiB: 2,
  group: 'Stealth cards',
  expectedSerial: card.native,
}));

/** The source of a card's guest, made from the card; undefined for a guest that is no card. */
export function cardText(id: string): string | undefined {
  const card = STEALTH_CARDS.find(each => each.id === id);
  return card === undefined ? undefined : cardSource(card);
}
