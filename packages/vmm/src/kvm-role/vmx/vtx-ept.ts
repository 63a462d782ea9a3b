// VT-x with EPT: the technique, as a definition. Its guests start in real mode, which "unrestricted guest" allows.

import {WESTMERE} from '@hyperscope/machine';
import {HYPERVISOR_DEFAULTS} from '../host-context.js';
import type {HypervisorOptions} from '../host-context.js';
import type {StartTechnique} from '../../technique.js';
import {HypervisorRun} from '../hypervisor-run.js';
import type {HypervisorDefinition} from '../hypervisor-run.js';
import {NESTED_MMU} from '../kvm-tdp.js';
import {VTX_EPT_CONTROLS, vmxControls} from './controls.js';
import type {VmxOptions} from './controls.js';
import {kvmIntel} from './kvm-intel.js';

/** What a lesson may flip; the rest stays as KVM has it. */
export function vtxEpt(
  controls: Partial<VmxOptions> = {},
  options: Partial<HypervisorOptions> = {},
): HypervisorDefinition {
  return {
    hardware: kvmIntel('nested', {...VTX_EPT_CONTROLS, ...controls}),
    mmu: NESTED_MMU,
    profile: WESTMERE,
    options: {...HYPERVISOR_DEFAULTS, ...options},
  };
}

export const startVtxEpt: StartTechnique = options =>
  new HypervisorRun(options, vtxEpt(vmxControls(VTX_EPT_CONTROLS, options.controls)));
