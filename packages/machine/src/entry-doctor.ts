// The doctor of VM entries: every check that VMLAUNCH, VMRESUME or VMRUN would make now, those that hold as well, without entering.
// The processor's own functions make them, so that the doctor cannot be of another opinion.

import {hpa} from '@hyperscope/base';
import type {Core} from './cpu/core.js';
import type {Check} from './observer.js';
import {SvmControls} from './svm/controls.js';
import {vmrunChecks} from './svm/entry-checks.js';
import {Vmcb} from './svm/vmcb.js';
import {capabilitiesOf} from './vmx/capabilities.js';
import {entryChecks} from './vmx/entry-checks.js';
import {EntryContext} from './vmx/entry-context.js';
import {Vmcs} from './vmx/vmcs.js';

export interface CheckedGroup {
  readonly title: string;
  readonly checks: readonly Check[];
}

/** Of the VMCS at a host-physical address: the manual's three groups, in its order. */
export function examineVmcs(core: Core, address: number): readonly CheckedGroup[] {
  const context = new EntryContext(core, new Vmcs(core.memory, hpa(address)), capabilitiesOf(core.profile));
  const {controls, host, guest} = entryChecks(context, 'all');
  return [
    {title: 'VM-execution, exit and entry controls', checks: controls},
    {title: 'Host state', checks: host},
    {title: 'Guest state', checks: guest},
  ];
}

/** Of the VMCB at a host-physical address. */
export function examineVmcb(core: Core, address: number): readonly CheckedGroup[] {
  const controls = new SvmControls(new Vmcb(core.memory, hpa(address)));
  return [{title: 'Consistency checks of VMRUN', checks: vmrunChecks(core, controls, 'all')}];
}
