// VT-x as the half of a processor: for those who run on no other, and need not have SVM at hand.

import type {ProcessorProfile} from '../cpu/core.js';
import {featuresOf} from '../cpu/features.js';
import type {Virtualization} from '../cpu/helper-table.js';
import {VMX_HELPERS} from './instructions.js';
import {createVmxUnit} from './unit.js';

/** Undefined where the profile announces no VT-x. */
export const vmxOf = (profile: ProcessorProfile): Virtualization | undefined =>
  featuresOf(profile).vmx ? {unit: createVmxUnit(profile), helpers: VMX_HELPERS} : undefined;
