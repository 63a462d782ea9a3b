// How KVM sets up VT-x for a guest with EPT and unrestricted guest: every choice in one structure, so that a lesson can
// flip one and watch what exits then. Defaults: Linux, arch/x86/kvm/vmx/vmx.c (vmx_exec_control, init_vmcs). CR8
// accesses exit, unless KVM has the local APIC (tpr-shadow.ts).

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
import {changed} from '../../control-changes.js';
import type {ControlChanges} from '../../control-changes.js';
import type {EntryControl, ExitControl, PinControl, PrimaryControl, SecondaryControl} from '@hyperscope/machine';

export interface VmxOptions {
  readonly pin: readonly PinControl[];
  /** Primary controls beyond those that are always on. */
  readonly primary: readonly PrimaryControl[];
  readonly secondary: readonly SecondaryControl[];
  readonly exit: readonly ExitControl[];
  readonly entry: readonly EntryControl[];
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
  pin: ['external-interrupt exiting', 'NMI exiting', 'virtual NMIs'],
  exit: [
    'host address-space size',
    'acknowledge interrupt on exit',
    'save IA32_PAT',
    'load IA32_PAT',
    'save IA32_EFER',
    'load IA32_EFER',
  ],
  entry: ['load IA32_PAT', 'load IA32_EFER'],
  exceptions: [],
  cr0GuestOwned: CR0_TS_WP,
  cr4GuestOwned: CR4_GUEST_BITS,
  // SYSENTER_CS/ESP/EIP, TSC, FS base, GS base, KERNEL_GS_BASE: Linux, vmx_possible_passthrough_msrs.
  passedThroughMsrs: [0x10, 0x174, 0x175, 0x176, 0xc000_0100, 0xc000_0101, 0xc000_0102],
  accessedDirtyFlags: 'on',
};

/**
 * The VT-x of 2005, on any processor: no secondary controls but those that later instructions need, no MSR bitmaps, and EFER
 * and PAT are not switched; virtual NMIs only where they are (kvm-intel.ts). Every #PF, MOV to or from CR3 and INVLPG exits, because the page tables that the
 * processor walks are KVM's; CR0 and CR4 are the host's altogether.
 */
export const VTX_SHADOW_CONTROLS: VmxOptions = {
  pin: ['external-interrupt exiting', 'NMI exiting'],
  primary: [
    'HLT exiting',
    'INVLPG exiting',
    'CR3-load exiting',
    'CR3-store exiting',
    'use I/O bitmaps',
    'use TSC offsetting',
    'MWAIT exiting',
    'MONITOR exiting',
    'RDPMC exiting',
    'CR8-load exiting',
    'CR8-store exiting',
    'MOV-DR exiting',
  ],
  secondary: [],
  exit: ['host address-space size', 'acknowledge interrupt on exit'],
  entry: [],
  exceptions: [14],
  cr0GuestOwned: 0n,
  cr4GuestOwned: 0n,
  passedThroughMsrs: [],
  accessedDirtyFlags: 'off',
};

/** KVM's controls, with what a lesson changes. */
export function vmxControls(own: VmxOptions, changes: ControlChanges | undefined): VmxOptions {
  if (changes === undefined) return own;
  return {
    ...own,
    pin: changed(own.pin, changes.pin),
    primary: changed(own.primary, changes.primary),
    secondary: changed(own.secondary, changes.secondary),
    exceptions: [...new Set([...own.exceptions, ...changes.exceptions])],
  };
}

/** The five control words for these choices. */
export function controlWords(
  options: VmxOptions,
): Readonly<Record<'pin' | 'primary' | 'secondary' | 'exit' | 'entry', bigint>> {
  const cr3Exits = controlMask(primaryControl('CR3-load exiting'), primaryControl('CR3-store exiting'));
  return {
    pin: PIN_DEFAULT1 | controlMask(...options.pin.map(pinControl)),
    primary: (PRIMARY_DEFAULT1 & ~cr3Exits) | controlMask(...options.primary.map(primaryControl)),
    secondary: controlMask(...options.secondary.map(secondaryControl)),
    exit: EXIT_DEFAULT1 | controlMask(...options.exit.map(exitControl)),
    entry: ENTRY_DEFAULT1 | controlMask(...options.entry.map(entryControl)),
  };
}
