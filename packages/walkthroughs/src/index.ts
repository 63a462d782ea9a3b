export type * from './scenario.js';
export * from './check-scenario.js';
export * from './expectations.js';
export * from './find-place.js';
export * from './markdown.js';
export * from './problem.js';
export * from './read-scenario.js';
export type * from './scenario-run.js';
export * from './trial.js';
