// How deep a run on real KVM is looked into: what comes to user space; every instruction that can be stepped; or what KVM
// does itself, too.

import type {SingleStep} from './single-step.js';

export const KVM_DEPTHS = ['exits', 'instructions', 'inside-kvm'] as const;
export type KvmDepth = (typeof KVM_DEPTHS)[number];

/** What a session needs to know for a depth. */
export function depthOptions(depth: KvmDepth): {
  readonly singleStep: SingleStep;
  readonly insideKvm: 'told' | 'hidden';
} {
  return {
    singleStep: depth === 'instructions' ? 'where-possible' : 'off',
    insideKvm: depth === 'inside-kvm' ? 'told' : 'hidden',
  };
}
