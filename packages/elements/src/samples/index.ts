export * from './sample-card.js';
export * from './sample-inspections.js';
export * from './sample-session.js';
export * from './sample-steps.js';
export * from './sample-shadow.js';
export * from './sample-walk.js';
