// The SVM instructions, as helpers that microcode invokes. What is common to them (#UD without EFER.SVME, #GP(0) above CPL 0,
// the intercept) is microcode; here is what each of them does. APM vol. 3, "System Instruction Reference".

import type {Core, HelperImplementation} from '../cpu/core.js';
import type {Trouble} from '../cpu/trouble.js';
import {vmloadState, vmsaveState} from './guest-state.js';
import {vmcbAt} from './vmcb-address.js';
import {Vmcb} from './vmcb.js';
import {vmrun} from './world-switch.js';

export type SvmHelperName = 'vmrun' | 'vmload' | 'vmsave' | 'setGlobalInterruptFlag' | 'invalidatePageOfAsid';

export function vmload(core: Core, address: bigint): Trouble | undefined {
  const vmcb = vmcbAt(core, 'VMLOAD', address);
  if (!(vmcb instanceof Vmcb)) return vmcb;
  vmloadState(core, vmcb);
  return undefined;
}
export function vmsave(core: Core, address: bigint): Trouble | undefined {
  const vmcb = vmcbAt(core, 'VMSAVE', address);
  if (!(vmcb instanceof Vmcb)) return vmcb;
  vmsaveState(core, vmcb);
  return undefined;
}

/** The implementations of isa's SVM helpers. */
export const SVM_HELPERS: Readonly<Record<SvmHelperName, HelperImplementation>> = {
  vmrun: (core, _, args) => vmrun(core, args[0] ?? 0n),
  vmload: (core, _, args) => vmload(core, args[0] ?? 0n),
  vmsave: (core, _, args) => vmsave(core, args[0] ?? 0n),
  setGlobalInterruptFlag: (core, _, args) => {
    core.registers.set('GIF', args[0] ?? 0n);
    return undefined;
  },
  invalidatePageOfAsid: (core, _, args) => {
    core.tlb.flushPageOfIdentifier(Number(args[1] ?? 0n), args[0] ?? 0n);
    return undefined;
  },
};
