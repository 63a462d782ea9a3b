// The elements of a comparison of machines: loaded when one is made, and not with the first page.

export * from './lane-exit-table.js';
export * from './lane-picture.js';
export * from './lineup.js';
