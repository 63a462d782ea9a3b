// VT-x as it grew: what the capability MSRs announced in 2005, 2008 and 2010. Each is the one in capabilities.ts with the
// later parts taken away, so that software finds them missing where a processor of that year lacks them.
// SDM vol. 3D, "VMX Capability Reporting Facility"; years: Linux, arch/x86/kvm/vmx (what it asks for before using it).

import {EPT_VPID, VMX_CAPABILITIES} from './capabilities.js';
import type {AllowedSettings, VmxCapabilities} from './capabilities.js';
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
} from './control-bits.js';

const without = (settings: AllowedSettings, ...bits: readonly number[]): AllowedSettings => ({
  must: settings.must,
  may: settings.may & ~controlMask(...bits),
});
/** Where a processor has no TRUE capability MSRs, the whole default1 class is fixed at 1. */
const fixed = (settings: AllowedSettings, default1: bigint): AllowedSettings => ({
  must: settings.must | default1,
  may: settings.may,
});

/** VME PVI TSD DE PSE PAE MCE PGE PCE OSFXSR OSXMMEXCPT VMXE. */
const CR4_2005 = 0x27ffn;

/** 2010: unrestricted guest and PAUSE-loop exiting are there; RDRAND (2012), INVPCID (2013), RDSEED (2014) and TSC scaling (2015) are not. */
export const WESTMERE_VMX: VmxCapabilities = {
  ...VMX_CAPABILITIES,
  cr4: {must: VMX_CAPABILITIES.cr4.must, may: CR4_2005},
  secondary: without(
    VMX_CAPABILITIES.secondary,
    secondaryControl('use TSC scaling'),
    secondaryControl('enable INVPCID'),
    secondaryControl('RDRAND exiting'),
    secondaryControl('RDSEED exiting'),
  ),
};

/** 2008: EPT and VPID; a guest must have paging on. EPT keeps no accessed and dirty flags and has no 1 GiB pages. */
export const NEHALEM_VMX: VmxCapabilities = {
  ...WESTMERE_VMX,
  secondary: without(
    WESTMERE_VMX.secondary,
    secondaryControl('unrestricted guest'),
    secondaryControl('PAUSE-loop exiting'),
  ),
  cr4: {must: VMX_CAPABILITIES.cr4.must, may: CR4_2005},
  eptVpid: VMX_CAPABILITIES.eptVpid & ~controlMask(EPT_VPID.accessedDirty, EPT_VPID.pages1G),
};

/**
 * 2005, the ten original instructions: no secondary controls, so neither EPT nor VPID; no MSR bitmaps, no virtual NMIs; EFER
 * and PAT are not switched by the processor; no preemption timer, no monitor trap flag; the default1 bits are fixed, so every MOV to and from CR3 exits.
 */
export const PRESCOTT_VMX: VmxCapabilities = {
  ...VMX_CAPABILITIES,
  hasTrueControls: false,
  pin: fixed(
    without(VMX_CAPABILITIES.pin, pinControl('virtual NMIs'), pinControl('activate VMX-preemption timer')),
    PIN_DEFAULT1,
  ),
  primary: fixed(
    without(
      VMX_CAPABILITIES.primary,
      primaryControl('NMI-window exiting'),
      primaryControl('use MSR bitmaps'),
      primaryControl('monitor trap flag'),
      primaryControl('activate secondary controls'),
    ),
    PRIMARY_DEFAULT1,
  ),
  secondary: {must: 0n, may: 0n},
  exit: fixed(
    without(
      VMX_CAPABILITIES.exit,
      exitControl('save IA32_PAT'),
      exitControl('load IA32_PAT'),
      exitControl('save IA32_EFER'),
      exitControl('load IA32_EFER'),
      exitControl('save VMX-preemption timer value'),
    ),
    EXIT_DEFAULT1,
  ),
  entry: fixed(
    without(VMX_CAPABILITIES.entry, entryControl('load IA32_PAT'), entryControl('load IA32_EFER')),
    ENTRY_DEFAULT1,
  ),
  cr4: {must: VMX_CAPABILITIES.cr4.must, may: CR4_2005},
  eptVpid: 0n,
};
