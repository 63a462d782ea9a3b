export * from './record-format.js';
export * from './session-view.js';
