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
import type {IrqchipPlace} from '../virtual-chipset.js';

export interface VtxEptOptions {
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
  /** Size of the pages by which KVM maps guest memory on first touch. */
  readonly eptPage: '4K' | '2M';
  readonly accessedDirtyFlags: 'on' | 'off';
  /** Where PIC, IOAPIC, local APIC and PIT are. Where absent, as the guest’s image asks: in user space, or in the kernel. */
  readonly irqchip?: IrqchipPlace | undefined;
}

const CR0_TS_WP = (1n << 3n) | (1n << 16n);
/** PVI TSD DE PGE PCE OSFXSR OSXMMEXCPT FSGSBASE: Linux, KVM_POSSIBLE_CR4_GUEST_BITS. */
const CR4_GUEST_BITS = 0x1_078en;

/**
 * 4 KiB EPT pages: a small guest touches few pages, so its first touches show as few exits, each at its own address. With
 * 2 MiB a bigger guest is mapped in few exits and the mechanism passes unseen; the first 2 MiB stay small pages either way,
 * because of the hole for video memory. measured, EPT violations: hello-kvm 5, rings 4, popf 5, hello-real 1, mini-os 17.
 */
export const VTX_EPT_DEFAULTS: VtxEptOptions = {
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
  eptPage: '4K',
  accessedDirtyFlags: 'on',
};

/** The five control words for these choices. */
export function controlWords(
  options: VtxEptOptions,
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
