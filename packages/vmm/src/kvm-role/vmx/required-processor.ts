// What the VT-x techniques need of a processor. With EPT also unrestricted guest, because guests start in real mode; with
// shadow page tables nothing but VMX: KVM then runs real mode in virtual-8086 mode.

import {UserError} from '@hyperscope/base';
import {PROFILES, capabilitiesOf, controlMask, featuresOf, secondaryControl} from '@hyperscope/machine';
import type {ProcessorProfile, SecondaryControl} from '@hyperscope/machine';
import type {MmuKind} from '../hardware.js';

function has(profile: ProcessorProfile, control: SecondaryControl): boolean {
  return (capabilitiesOf(profile).secondary.may & controlMask(secondaryControl(control))) !== 0n;
}

/** What the profile lacks, in the words of the manual; undefined where nothing is missing. */
export function lackOfVmx(profile: ProcessorProfile, mmu: MmuKind): string | undefined {
  if (!featuresOf(profile).vmx) return 'no VMX (CPUID.1:ECX[5] = 0)';
  if (mmu === 'shadow') return undefined;
  if (!has(profile, 'enable EPT')) return 'VMX without EPT';
  return has(profile, 'unrestricted guest')
    ? undefined
    : 'EPT without "unrestricted guest", so that a guest in real mode would have to be emulated';
}

/** @throws UserError 'processor-lacks-ept' or 'processor-lacks-vmx', which names the processors that will do. */
export function requireVmx(profile: ProcessorProfile, mmu: MmuKind): void {
  const missing = lackOfVmx(profile, mmu);
  if (missing === undefined) return;
  const fitting = PROFILES.filter(each => lackOfVmx(each, mmu) === undefined).map(({id}) => id);
  throw new UserError(
    mmu === 'nested' ? 'processor-lacks-ept' : 'processor-lacks-vmx',
    `VT-x with ${mmu === 'nested' ? 'EPT' : 'shadow page tables'} cannot run on the processor ${profile.id}: it has ${missing}. Choose one of: ${fitting.join(', ')}; or run the guest without a hypervisor.`,
  );
}

/**
 * RDTSCP and INVPCID are #UD in a guest until they are enabled. KVM enables what the guest's CPUID shows; with shadow page tables
 * that is no INVPCID, as it would have to be followed like INVLPG.
 */
export function enabledInstructions(profile: ProcessorProfile, mmu: MmuKind): readonly SecondaryControl[] {
  const wanted = mmu === 'nested' ? (['enable RDTSCP', 'enable INVPCID'] as const) : (['enable RDTSCP'] as const);
  return wanted.filter(control => has(profile, control));
}
