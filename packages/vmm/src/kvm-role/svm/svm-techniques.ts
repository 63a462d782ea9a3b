// SVM with nested paging: the technique, as a definition. Its guests start in real mode, as SVM's always could.

import {AMD_SVM} from '@hyperscope/machine';
import {HYPERVISOR_DEFAULTS} from '../host-context.js';
import type {HypervisorOptions} from '../host-context.js';
import type {HypervisorDefinition} from '../hypervisor-run.js';
import {kvmAmd} from './kvm-amd.js';
import {SVM_DEFAULTS} from './vmcb-controls.js';
import type {SvmOptions} from './vmcb-controls.js';

/** What a lesson may flip; the rest stays as KVM has it. */
export function svmNpt(
  intercepts: Partial<SvmOptions> = {},
  options: Partial<HypervisorOptions> = {},
): HypervisorDefinition {
  return {
    hardware: kvmAmd('nested', {...SVM_DEFAULTS, ...intercepts}),
    mmu: 'nested',
    profile: AMD_SVM,
    options: {...HYPERVISOR_DEFAULTS, ...options},
  };
}
