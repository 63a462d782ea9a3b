// kvm_intel as a choice: with the controls that a lesson wants, on a processor that has what they need.

import {capabilitiesOf, controlMask, pinControl, vmxOf} from '@hyperscope/machine';
import type {PinControl, ProcessorProfile} from '@hyperscope/machine';
import type {Hardware, HardwareKind, MmuKind} from '../hardware.js';
import type {Host} from '../host-context.js';
import type {VmxOptions} from './controls.js';
import {TSS_ADDRESS, TSS_BYTES} from './real-mode.js';
import {enabledInstructions, requireVmx} from './required-processor.js';
import {withTprShadow} from './tpr-shadow.js';
import {VmxHardware} from './vmx-hardware.js';

/** KVM uses virtual NMIs wherever they are, which is on every processor but those of 2005. */
function withVirtualNmis(pin: readonly PinControl[], profile: ProcessorProfile): readonly PinControl[] {
  const wanted = 'virtual NMIs';
  const hasThem = (capabilitiesOf(profile).pin.may & controlMask(pinControl(wanted))) !== 0n;
  return hasThem && !pin.includes(wanted) ? [...pin, wanted] : pin;
}

/** VT-x with these controls; without EPT it is without unrestricted guest too. */
export function kvmIntel(mmu: MmuKind, options: VmxOptions): HardwareKind {
  return {
    name: 'VMX',
    virtualizationOf: vmxOf,
    requireProcessor: (profile: ProcessorProfile): void => requireVmx(profile, mmu),
    privateMemory: mmu === 'shadow' ? {gpa: TSS_ADDRESS, bytes: TSS_BYTES} : undefined,
    create: (host: Host): Hardware => {
      const enabled = enabledInstructions(host.machine.profile, mmu);
      const secondary = [...options.secondary, ...enabled];
      const activate = secondary.length > 0 && !options.primary.includes('activate secondary controls');
      const all = activate ? [...options.primary, 'activate secondary controls' as const] : options.primary;
      const primary = withTprShadow(all, host.machine.profile, host.devices.place);
      const pin = withVirtualNmis(options.pin, host.machine.profile);
      return new VmxHardware(host, mmu, {...options, pin, primary, secondary});
    },
  };
}
