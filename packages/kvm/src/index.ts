export * from './availability.js';
export * from './fingerprint.js';
export * from './kvm-error.js';
export * from './kvm-vcpu.js';
export * from './kvm-virtual-machine.js';
export * from './start-states.js';
export * from './statistics.js';
