// SVM as the half of a processor: for those who run on no other, and need not have VT-x at hand.

import type {ProcessorProfile} from '../cpu/core.js';
import {featuresOf} from '../cpu/features.js';
import type {Virtualization} from '../cpu/helper-table.js';
import {SVM_HELPERS} from './instructions.js';
import {createSvmUnit} from './unit.js';

/** Undefined where the profile announces no SVM. */
export const svmOf = (profile: ProcessorProfile): Virtualization | undefined =>
  featuresOf(profile).svm ? {unit: createSvmUnit(), helpers: SVM_HELPERS} : undefined;
