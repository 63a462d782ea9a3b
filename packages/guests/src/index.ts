export * from './assembled-guest.js';
export * from './guest.js';
export * from './guests.js';
export * from './experiments.js';
