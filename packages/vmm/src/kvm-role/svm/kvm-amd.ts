// kvm_amd as a choice: with the intercepts that a lesson wants, and the way in which guest memory is mapped.

import {svmOf} from '@hyperscope/machine';
import type {ProcessorProfile} from '@hyperscope/machine';
import type {Hardware, HardwareKind, MmuKind} from '../hardware.js';
import type {Host} from '../host-context.js';
import {requireSvm} from './required-processor.js';
import {SvmHardware} from './svm-hardware.js';
import type {SvmOptions} from './vmcb-controls.js';

/** SVM with these intercepts. */
export function kvmAmd(mmu: MmuKind, options: SvmOptions): HardwareKind {
  return {
    name: 'SVM',
    virtualizationOf: svmOf,
    requireProcessor: (profile: ProcessorProfile, wanted: MmuKind): void => requireSvm(profile, wanted),
    create: (host: Host): Hardware => new SvmHardware(host, mmu, options),
  };
}
