export * from './assert.js';
export * from './bits.js';
export * from './brand.js';
export * from './clock.js';
export * from './user-error.js';
export * from './listeners.js';
export * from './seeded-numbers.js';
export * from './wire-frame.js';
