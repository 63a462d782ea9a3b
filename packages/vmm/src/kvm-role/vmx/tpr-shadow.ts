// The TPR shadow: CR8 of the guest is a byte of the page that KVM's local APIC keeps its registers in, so the guest reads and
// writes it without an exit. KVM hears of it only when the priority falls below the threshold, because an interrupt that waits
// may then be due. Used where the local APIC is KVM's and the processor has it, which is every processor with VT-x.
// Linux, arch/x86/kvm/vmx/vmx.c: cpu_need_tpr_shadow, vmx_update_cr8_intercept, handle_tpr_below_threshold.

import {capabilitiesOf, controlMask, primaryControl} from '@hyperscope/machine';
import type {PrimaryControl, ProcessorProfile} from '@hyperscope/machine';
import {VIRTUAL_APIC_PAGE} from '../../host/host-layout.js';
import type {StepResult} from '../../host/host-program.js';
import type {VmxHardware} from './vmx-hardware.js';

const USE = 'use TPR shadow';
const CR8_EXITS: ReadonlySet<PrimaryControl> = new Set(['CR8-load exiting', 'CR8-store exiting']);

/** The primary controls with the TPR shadow in the place of exits for CR8, where KVM uses it. */
export function withTprShadow(
  primary: readonly PrimaryControl[],
  profile: ProcessorProfile,
  irqchip: 'kernel' | 'user',
): readonly PrimaryControl[] {
  const hasIt = (capabilitiesOf(profile).primary.may & controlMask(primaryControl(USE))) !== 0n;
  if (irqchip !== 'kernel' || !hasIt) return primary;
  return [...primary.filter(control => !CR8_EXITS.has(control)), USE];
}

/** At the creation of the VMCS. From here on the guest's CR8 is in the page, for KVM too. */
export function setUpTprShadow({host, vmx, options}: VmxHardware): void {
  if (!options.primary.includes(USE)) return;
  vmx.vmwrite('VIRTUAL_APIC_ADDRESS', BigInt(VIRTUAL_APIC_PAGE));
  vmx.vmwrite('TPR_THRESHOLD', 0n);
  host.vcpu.moveTaskPriority();
}

/** Before an entry: the priority of the interrupt that the guest's own priority holds back, 0 where there is none. */
export function updateTprThreshold({host, vmx, options}: VmxHardware): void {
  if (!options.primary.includes(USE)) return;
  const waiting = BigInt((host.devices.chipset.localApic.highestRequest ?? 0) >> 4);
  const threshold = host.vcpu.get('cr8') < waiting ? 0n : waiting;
  if (threshold === host.vcpu.get('tpr_threshold')) return;
  vmx.vmwrite('TPR_THRESHOLD', threshold);
  host.vcpu.set('tpr_threshold', threshold);
}

export function handleTprBelowThreshold({host}: VmxHardware): StepResult {
  const priority = host.vcpu.get('cr8');
  host.handled('kvm', 'the guest’s task priority fell below that of an interrupt which waits: it can be injected');
  return {
    say: `the task priority is ${priority} now; the interrupt that waited is looked at again`,
    go: 'vcpu_enter_guest',
  };
}
