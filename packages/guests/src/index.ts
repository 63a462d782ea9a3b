export * from './assembled-guest.js';
export * from './guest.js';
export * from './guests.js';
export * from './experiments.js';
export * from './cms-guests.js';
export * from './cards/cards.js';
export * from './cards/stealth-card.js';
