export * from './virtual-machine.js';
export * from './technique.js';
