export * from './observer.js';
export * from './cpu/core.js';
export * from './cpu/register-file.js';
export * from './cpu/trouble.js';
export * from './mmu/physical-memory.js';
export * from './machine.js';
