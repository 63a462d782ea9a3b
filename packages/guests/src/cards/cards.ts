// The eighteen cards, in the order of the published list: first those about registers, then those about protection.
// VT-x and SVM: SDM vol. 3C, "Instructions That Cause VM Exits", "Changes to Instruction Behavior in VMX Non-Root Operation";
// APM vol. 2, "Instruction Intercepts". UMIP: SDM vol. 3A, "Control Registers".

import type {Guest} from '../guest.js';
import {cardSource} from './card-source.js';
import {PROTECTION_CARDS} from './protection-cards.js';
import {REGISTER_CARDS} from './register-cards.js';
import type {StealthCard} from './stealth-card.js';

export const STEALTH_CARDS: readonly StealthCard[] = [...REGISTER_CARDS, ...PROTECTION_CARDS];

/** Each card as a guest. They are no part of the list of guests that a newcomer reads; `findGuest` knows them. */
export const CARD_GUESTS: readonly Guest[] = STEALTH_CARDS.map(card => ({
  id: card.id,
  title: `Card: ${card.mnemonic}`,
  teaches: card.story,
  source: cardSource(card),
  loadAddress: 0x8000,
  mode: 'protected',
  memoryMiB: 2,
  group: 'Stealth cards',
  expectedSerial: card.native,
}));
