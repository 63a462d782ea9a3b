// Which half for virtualization a processor has: VT-x, SVM, or none, by what its profile announces.

import type {ProcessorProfile} from './cpu/core.js';
import type {Virtualization} from './cpu/helper-table.js';
import {svmOf} from './svm/svm-half.js';
import {vmxOf} from './vmx/vmx-half.js';

/** The unit and the instructions of it; undefined for a processor from before both. */
export function virtualizationOf(profile: ProcessorProfile): Virtualization | undefined {
  return svmOf(profile) ?? vmxOf(profile);
}
