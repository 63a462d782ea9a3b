// What this technique needs of a processor: EPT, and unrestricted guest, because its guests start in real mode.
// (KVM runs without them too: with shadow page tables, and by emulating real mode instruction by instruction.)

import {UserError} from '@hyperscope/base';
import {PROFILES, capabilitiesOf, controlMask, featuresOf, secondaryControl} from '@hyperscope/machine';
import type {ProcessorProfile, SecondaryControl} from '@hyperscope/machine';

function has(profile: ProcessorProfile, control: SecondaryControl): boolean {
  return (capabilitiesOf(profile).secondary.may & controlMask(secondaryControl(control))) !== 0n;
}

/** What the profile lacks, in the words of the manual; undefined where nothing is missing. */
function lack(profile: ProcessorProfile): string | undefined {
  if (!featuresOf(profile).vmx) return 'no VMX (CPUID.1:ECX[5] = 0)';
  if (!has(profile, 'enable EPT')) return 'VMX without EPT';
  return has(profile, 'unrestricted guest')
    ? undefined
    : 'EPT without "unrestricted guest", so that a guest in real mode would have to be emulated';
}

/** @throws UserError 'processor-lacks-ept', which names the processors that will do. */
export function requireUnrestrictedEpt(profile: ProcessorProfile): void {
  const missing = lack(profile);
  if (missing === undefined) return;
  const fitting = PROFILES.filter(each => lack(each) === undefined).map(({id}) => id);
  throw new UserError(
    'processor-lacks-ept',
    `VT-x with EPT cannot run on the processor ${profile.id}: it has ${missing}. Choose one of: ${fitting.join(', ')}; or run the guest without a hypervisor.`,
  );
}

/** RDTSCP and INVPCID are #UD in a guest until they are enabled. KVM enables what the guest's CPUID shows. */
export function enabledInstructions(profile: ProcessorProfile): readonly SecondaryControl[] {
  return (['enable RDTSCP', 'enable INVPCID'] as const).filter(control => has(profile, control));
}
