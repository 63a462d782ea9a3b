// Processor profiles: what CPUID announces, and therefore what exists. Only what the simulator does is announced: a bit
// for what it lacks would be a promise it cannot keep, so a profile has the name of the generation whose system
// architecture (paging, VT-x) it follows, and fewer instructions. docs/processors.md is the table of them.

import type {ProcessorProfile} from './core.js';
import {AMD_SVM} from './profiles-amd.js';
import {I386, I486, PENTIUM, PENTIUM_III} from './profiles-early.js';
import {MODERN_INTEL, NEHALEM, PRESCOTT, WESTMERE} from './profiles-intel64.js';
import {vendorLeaf} from './profiles-outline.js';

export {AMD_SVM, MODERN_INTEL, NEHALEM, PRESCOTT, WESTMERE};

/** By year. */
export const PROFILES: readonly ProcessorProfile[] = [
  I386,
  I486,
  PENTIUM,
  PENTIUM_III,
  PRESCOTT,
  AMD_SVM,
  NEHALEM,
  WESTMERE,
  MODERN_INTEL,
];

export function profileById(id: string): ProcessorProfile | undefined {
  return PROFILES.find(each => each.id === id);
}

/** The same processor under another maker's name: twelve characters, as CPUID leaf 0 tells them. */
export function withVendor(original: ProcessorProfile, vendor: string): ProcessorProfile {
  const highest = original.cpuid.get(0)?.get(0)?.[0];
  if (highest === undefined) return original;
  const cpuid = new Map(original.cpuid).set(0, new Map([[0, vendorLeaf(vendor.slice(0, 12), highest)]]));
  return {...original, vendor, cpuid};
}

/** The same processor as it might have been: every sensitive instruction traps outside ring 0. */
export function withStrictness(original: ProcessorProfile): ProcessorProfile {
  return original.strict ? original : {...original, strict: true, id: `${original.id},+strict`};
}
