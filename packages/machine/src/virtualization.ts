// Which half for virtualization a processor has: VT-x, SVM, or none, by what its profile announces.

import type {ProcessorProfile, VirtualizationUnit} from './cpu/core.js';
import {featuresOf} from './cpu/features.js';
import type {VirtualizationHelpers} from './cpu/helper-table.js';
import {SVM_HELPERS} from './svm/instructions.js';
import {createSvmUnit} from './svm/unit.js';
import {VMX_HELPERS} from './vmx/instructions.js';
import {createVmxUnit} from './vmx/unit.js';

/** The unit and the instructions of it; undefined for a processor from before both. */
export function virtualizationOf(
  profile: ProcessorProfile,
): {readonly unit: VirtualizationUnit; readonly helpers: VirtualizationHelpers} | undefined {
  const features = featuresOf(profile);
  if (features.svm) return {unit: createSvmUnit(), helpers: SVM_HELPERS};
  return features.vmx ? {unit: createVmxUnit(profile), helpers: VMX_HELPERS} : undefined;
}
