// VT-x with shadow page tables: the technique, as a definition. The VT-x of 2005, which had neither EPT nor VPID nor
// unrestricted guest; on later processors it leaves those alone.

import {PRESCOTT} from '@hyperscope/machine';
import {HYPERVISOR_DEFAULTS} from '../host-context.js';
import type {HypervisorOptions} from '../host-context.js';
import type {StartTechnique} from '../../technique.js';
import {HypervisorRun} from '../hypervisor-run.js';
import type {HypervisorDefinition} from '../hypervisor-run.js';
import {SHADOW_MMU} from '../kvm-shadow.js';
import {VTX_SHADOW_CONTROLS, vmxControls} from './controls.js';
import type {VmxOptions} from './controls.js';
import {kvmIntel} from './kvm-intel.js';

/** What a lesson may flip; the rest stays as KVM has it. */
export function vtxShadow(
  controls: Partial<VmxOptions> = {},
  options: Partial<HypervisorOptions> = {},
): HypervisorDefinition {
  return {
    hardware: kvmIntel('shadow', {...VTX_SHADOW_CONTROLS, ...controls}),
    mmu: SHADOW_MMU,
    profile: PRESCOTT,
    options: {...HYPERVISOR_DEFAULTS, ...options},
  };
}

export const startVtxShadow: StartTechnique = options =>
  new HypervisorRun(options, vtxShadow(vmxControls(VTX_SHADOW_CONTROLS, options.controls)));
