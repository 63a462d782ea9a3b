// kvm_intel as a choice: with the controls that a lesson wants, on a processor that has what they need.

import type {ProcessorProfile} from '@hyperscope/machine';
import type {Hardware, HardwareKind, MmuKind} from '../hardware.js';
import type {Host} from '../host-context.js';
import type {VmxOptions} from './controls.js';
import {TSS_ADDRESS, TSS_BYTES} from './real-mode.js';
import {enabledInstructions, requireVmx} from './required-processor.js';
import {VmxHardware} from './vmx-hardware.js';

/** VT-x with these controls; without EPT it is without unrestricted guest too. */
export function kvmIntel(mmu: MmuKind, options: VmxOptions): HardwareKind {
  return {
    name: 'VMX',
    requireProcessor: (profile: ProcessorProfile): void => requireVmx(profile, mmu),
    privateMemory: mmu === 'shadow' ? {gpa: TSS_ADDRESS, bytes: TSS_BYTES} : undefined,
    create: (host: Host): Hardware => {
      const enabled = enabledInstructions(host.machine.profile, mmu);
      const secondary = [...options.secondary, ...enabled];
      const activate = secondary.length > 0 && !options.primary.includes('activate secondary controls');
      const primary = activate ? [...options.primary, 'activate secondary controls' as const] : options.primary;
      return new VmxHardware(host, mmu, {...options, primary, secondary});
    },
  };
}
