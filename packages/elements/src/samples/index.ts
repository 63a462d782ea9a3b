export * from './sample-session.js';
export * from './sample-steps.js';
