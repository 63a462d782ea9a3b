// kvm_intel as a choice: with the controls that a lesson wants, on a processor that has what they need.

import type {ProcessorProfile} from '@hyperscope/machine';
import type {Hardware, HardwareKind, MmuKind} from '../hardware.js';
import type {Host} from '../host-context.js';
import type {VmxOptions} from './controls.js';
import {enabledInstructions, requireUnrestrictedEpt} from './required-processor.js';
import {VmxHardware} from './vmx-hardware.js';

/** VT-x with these controls. */
export function kvmIntel(options: VmxOptions): HardwareKind {
  return {
    name: 'VMX',
    requireProcessor: (profile: ProcessorProfile, _mmu: MmuKind): void => requireUnrestrictedEpt(profile),
    create: (host: Host): Hardware => {
      const secondary = [...options.secondary, ...enabledInstructions(host.machine.profile)];
      return new VmxHardware(host, {...options, secondary});
    },
  };
}
