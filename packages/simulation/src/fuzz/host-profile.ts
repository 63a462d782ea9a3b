// A simulated processor with the instructions of a host's: what both have can be compared.

import {FEATURE_BITS, MODERN_INTEL, withFeature, withVendor} from '@hyperscope/machine';
import type {Feature, ProcessorProfile} from '@hyperscope/machine';
import {INSTRUCTION_FEATURES} from '@hyperscope/isa';
import {keysOf} from '@hyperscope/base';

/** Words of a kvm_cpuid_entry2: function, index, flags, EAX to EDX, three that are not used. */
const ENTRY_WORDS = 10;

/** Announced or not, these change what is compared in ways that a host does not share, so they are off. */
const NEVER: ReadonlySet<Feature> = new Set<Feature>(['vmx', 'umip', 'smap', 'smep', 'pcid', 'la57', 'xsave']);

/** What decides which bits of CR4 exist. */
const IN_CR4: ReadonlySet<Feature> = new Set<Feature>(['vme', 'de', 'pse', 'pge', 'tsc']);

/** `cpuid`: entries of KVM_GET_CPUID2, one after another. */
export function hostProfile(cpuid: Uint32Array): ProcessorProfile {
  const wanted = keysOf(FEATURE_BITS).filter(
    feature => INSTRUCTION_FEATURES.some(each => each === feature) || NEVER.has(feature) || IN_CR4.has(feature),
  );
  const base = withVendor(MODERN_INTEL, vendorOf(cpuid));
  const profile = wanted.reduce(
    (built, feature) => withFeature(built, feature, !NEVER.has(feature) && announces(cpuid, feature) ? 'on' : 'off'),
    base,
  );
  return {...profile, id: 'host'};
}

function entryAt(cpuid: Uint32Array, leaf: number, subleaf: number): Uint32Array | undefined {
  for (let at = 0; at + ENTRY_WORDS <= cpuid.length; at += ENTRY_WORDS)
    if (cpuid[at] === leaf && cpuid[at + 1] === subleaf) return cpuid.subarray(at + 3, at + 7);
  return undefined;
}

function announces(cpuid: Uint32Array, feature: Feature): boolean {
  const {leaf, subleaf, register, bit} = FEATURE_BITS[feature];
  return (((entryAt(cpuid, leaf, subleaf)?.[register] ?? 0) >>> bit) & 1) === 1;
}

/** EBX, EDX, ECX of leaf 0. */
function vendorOf(cpuid: Uint32Array): string {
  const leaf = entryAt(cpuid, 0, 0);
  const words = [leaf?.[1] ?? 0, leaf?.[3] ?? 0, leaf?.[2] ?? 0];
  return words.map(word => String.fromCharCode(...[0, 8, 16, 24].map(shift => (word >>> shift) & 0xff))).join('');
}
