// How KVM sets up VT-x for a guest with EPT and unrestricted guest: every choice in one structure, so that a lesson can
// flip one and watch what exits then. Defaults: Linux, arch/x86/kvm/vmx/vmx.c (vmx_exec_control, init_vmcs) without a TPR
// shadow: CR8 accesses exit.

import {
  ENTRY_DEFAULT1,
  EXIT_DEFAULT1,
  PIN_DEFAULT1,
  PRIMARY_DEFAULT1,
  controlMask,
  entryControl,
  exitControl,
  pinControl,
  primaryControl,
  secondaryControl,
} from '@hyperscope/machine';
import type {PrimaryControl, SecondaryControl} from '@hyperscope/machine';

export interface VmxOptions {
  /** Primary controls beyond those that are always on. */
  readonly primary: readonly PrimaryControl[];
  readonly secondary: readonly SecondaryControl[];
  /** Vectors that exit. KVM asks for #UD, #AC, #MC and, without EPT, #PF; the simulator's KVM needs none of them. */
  readonly exceptions: readonly number[];
  /** Bits of CR0 and CR4 that the guest may change without an exit. */
  readonly cr0GuestOwned: bigint;
  readonly cr4GuestOwned: bigint;
  /** MSRs that the guest reads and writes without an exit. */
  readonly passedThroughMsrs: readonly number[];
  readonly accessedDirtyFlags: 'on' | 'off';
}

const CR0_TS_WP = (1n << 3n) | (1n << 16n);
/** PVI TSD DE PGE PCE OSFXSR OSXMMEXCPT FSGSBASE: Linux, KVM_POSSIBLE_CR4_GUEST_BITS. */
const CR4_GUEST_BITS = 0x1_078en;

export const VTX_EPT_CONTROLS: VmxOptions = {
  primary: [
    'HLT exiting',
    'use I/O bitmaps',
    'use MSR bitmaps',
    'use TSC offsetting',
    'activate secondary controls',
    'MWAIT exiting',
    'MONITOR exiting',
    'RDPMC exiting',
    'CR8-load exiting',
    'CR8-store exiting',
    'MOV-DR exiting',
  ],
  secondary: ['enable EPT', 'unrestricted guest', 'enable VPID', 'WBINVD exiting'],
  exceptions: [],
  cr0GuestOwned: CR0_TS_WP,
  cr4GuestOwned: CR4_GUEST_BITS,
  // SYSENTER_CS/ESP/EIP, TSC, FS base, GS base, KERNEL_GS_BASE: Linux, vmx_possible_passthrough_msrs.
  passedThroughMsrs: [0x10, 0x174, 0x175, 0x176, 0xc000_0100, 0xc000_0101, 0xc000_0102],
  accessedDirtyFlags: 'on',
};

/** The five control words for these choices. */
export function controlWords(
  options: VmxOptions,
): Readonly<Record<'pin' | 'primary' | 'secondary' | 'exit' | 'entry', bigint>> {
  const cr3Exits = controlMask(primaryControl('CR3-load exiting'), primaryControl('CR3-store exiting'));
  return {
    pin:
      PIN_DEFAULT1 |
      controlMask(pinControl('external-interrupt exiting'), pinControl('NMI exiting'), pinControl('virtual NMIs')),
    primary: (PRIMARY_DEFAULT1 & ~cr3Exits) | controlMask(...options.primary.map(primaryControl)),
    secondary: controlMask(...options.secondary.map(secondaryControl)),
    exit:
      EXIT_DEFAULT1 |
      controlMask(
        exitControl('host address-space size'),
        exitControl('acknowledge interrupt on exit'),
        exitControl('save IA32_PAT'),
        exitControl('load IA32_PAT'),
        exitControl('save IA32_EFER'),
        exitControl('load IA32_EFER'),
      ),
    entry: ENTRY_DEFAULT1 | controlMask(entryControl('load IA32_PAT'), entryControl('load IA32_EFER')),
  };
}
