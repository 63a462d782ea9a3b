// The panels of the inspector that a page loads when they are first opened.

export * from './address-box.js';
export * from './address-path.js';
export * from './descriptor-tables.js';
export * from './device-list.js';
export * from './entry-doctor.js';
export * from './fault-story.js';
export * from './ioctl-loop.js';
export * from './kvm-run.js';
export * from '../page-walk.js';
export * from '../shadow-walk.js';
export * from '../vmcs.js';
export * from './memory-view.js';
export * from './space-names.js';
export * from './statistics-view.js';
export * from './tlb-lookups.js';
export * from './tlb-view.js';
export * from './translation-cache.js';
export * from './virtual-cpu.js';
