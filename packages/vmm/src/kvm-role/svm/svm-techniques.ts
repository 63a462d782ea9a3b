// SVM with nested paging and with shadow page tables: the techniques, as definitions. Their guests start in real mode, which SVM
// always could run; under shadow paging in "paged real mode", with CR0.PG = 1 and CR0.PE = 0.

import {AMD_SVM} from '@hyperscope/machine';
import {HYPERVISOR_DEFAULTS} from '../host-context.js';
import type {HypervisorOptions} from '../host-context.js';
import type {GuestMmuKind} from '../guest-mmu.js';
import {SHADOW_MMU} from '../kvm-shadow.js';
import {NESTED_MMU} from '../kvm-tdp.js';
import type {StartTechnique} from '../../technique.js';
import {HypervisorRun} from '../hypervisor-run.js';
import type {HypervisorDefinition} from '../hypervisor-run.js';
import {kvmAmd} from './kvm-amd.js';
import {SVM_DEFAULTS, svmIntercepts} from './vmcb-controls.js';
import type {SvmOptions} from './vmcb-controls.js';

/** What a lesson may flip; the rest stays as KVM has it. */
const definition =
  (mmu: GuestMmuKind) =>
  (intercepts: Partial<SvmOptions> = {}, options: Partial<HypervisorOptions> = {}): HypervisorDefinition => ({
    hardware: kvmAmd(mmu.kind, {...SVM_DEFAULTS, ...intercepts}),
    mmu,
    profile: AMD_SVM,
    options: {...HYPERVISOR_DEFAULTS, ...options},
  });

export const svmNpt = definition(NESTED_MMU);
export const svmShadow = definition(SHADOW_MMU);

export const startSvmNpt: StartTechnique = options =>
  new HypervisorRun(options, svmNpt(svmIntercepts(options.controls)));
export const startSvmShadow: StartTechnique = options =>
  new HypervisorRun(options, svmShadow(svmIntercepts(options.controls)));
