// What a processor's VT-x can do, as its capability MSRs announce it (SDM vol. 3D, "VMX Capability Reporting Facility").
// Everything else asks here: VM-entry checks, VMXON, RDMSR of 480h to 491h. A feature exists when a bit here says so.

import {PREEMPTION_TIMER_RATE} from './preemption-rate.js';
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

/** Allowed settings of a set of controls: a 1 in `must` has to be set, a 0 in `may` has to be clear. */
export interface AllowedSettings {
  readonly must: bigint;
  readonly may: bigint;
}

export interface VmxCapabilities {
  /** VMX_BASIC[30:0]: software writes it into the first word of every VMCS and VMXON region. */
  readonly revision: number;
  /** Whether 48Dh to 490h exist: bits of the default1 class may then be 0 (VMX_BASIC[55]). */
  readonly hasTrueControls: boolean;
  readonly pin: AllowedSettings;
  readonly primary: AllowedSettings;
  readonly secondary: AllowedSettings;
  readonly exit: AllowedSettings;
  readonly entry: AllowedSettings;
  readonly cr0: AllowedSettings;
  readonly cr4: AllowedSettings;
  /** IA32_VMX_MISC[24:16]. */
  readonly cr3Targets: number;
  /** IA32_VMX_MISC[8:6]: HLT, shutdown, wait-for-SIPI. */
  readonly activityStates: number;
  /** IA32_VMX_EPT_VPID_CAP. */
  readonly eptVpid: bigint;
}

/** Bits of IA32_VMX_EPT_VPID_CAP. */
export const EPT_VPID = {
  executeOnly: 0,
  walkLength4: 6,
  uncacheable: 8,
  writeBack: 14,
  pages2M: 16,
  pages1G: 17,
  invept: 20,
  accessedDirty: 21,
  inveptSingle: 25,
  inveptAll: 26,
  invvpid: 32,
  invvpidAddress: 40,
  invvpidSingle: 41,
  invvpidAll: 42,
  invvpidSingleKeepGlobals: 43,
} as const;

const eptVpidMask = (...bits: readonly (keyof typeof EPT_VPID)[]): bigint =>
  bits.reduce((mask, bit) => mask | (1n << BigInt(EPT_VPID[bit])), 0n);

/**
 * VT-x with EPT, VPID and unrestricted guest, as it has been since Westmere (2010); only controls whose effect is
 * simulated are announced. The revision identifier is the simulator's own.
 */
export const VMX_CAPABILITIES: VmxCapabilities = {
  revision: 0x4859_5001, // 'HYP' and a version of the layout in vmcs.ts
  hasTrueControls: true,
  pin: {
    must: PIN_DEFAULT1,
    may:
      PIN_DEFAULT1 |
      controlMask(
        pinControl('external-interrupt exiting'),
        pinControl('NMI exiting'),
        pinControl('virtual NMIs'),
        pinControl('activate VMX-preemption timer'),
      ),
  },
  primary: {
    must: PRIMARY_DEFAULT1 & ~controlMask(primaryControl('CR3-load exiting'), primaryControl('CR3-store exiting')),
    may:
      PRIMARY_DEFAULT1 |
      controlMask(
        primaryControl('interrupt-window exiting'),
        primaryControl('use TSC offsetting'),
        primaryControl('HLT exiting'),
        primaryControl('INVLPG exiting'),
        primaryControl('MWAIT exiting'),
        primaryControl('RDPMC exiting'),
        primaryControl('RDTSC exiting'),
        primaryControl('CR3-load exiting'),
        primaryControl('CR3-store exiting'),
        primaryControl('CR8-load exiting'),
        primaryControl('CR8-store exiting'),
        primaryControl('use TPR shadow'),
        primaryControl('NMI-window exiting'),
        primaryControl('MOV-DR exiting'),
        primaryControl('unconditional I/O exiting'),
        primaryControl('use I/O bitmaps'),
        primaryControl('monitor trap flag'),
        primaryControl('use MSR bitmaps'),
        primaryControl('MONITOR exiting'),
        primaryControl('PAUSE exiting'),
        primaryControl('activate secondary controls'),
      ),
  },
  secondary: {
    must: 0n,
    may: controlMask(
      secondaryControl('enable EPT'),
      secondaryControl('descriptor-table exiting'),
      secondaryControl('enable RDTSCP'),
      secondaryControl('enable VPID'),
      secondaryControl('WBINVD exiting'),
      secondaryControl('unrestricted guest'),
      secondaryControl('PAUSE-loop exiting'),
      secondaryControl('RDRAND exiting'),
      secondaryControl('enable INVPCID'),
      secondaryControl('RDSEED exiting'),
      secondaryControl('use TSC scaling'),
    ),
  },
  exit: {
    must: EXIT_DEFAULT1 & ~controlMask(exitControl('save debug controls')),
    may:
      EXIT_DEFAULT1 |
      controlMask(
        exitControl('host address-space size'),
        exitControl('acknowledge interrupt on exit'),
        exitControl('save IA32_PAT'),
        exitControl('load IA32_PAT'),
        exitControl('save IA32_EFER'),
        exitControl('load IA32_EFER'),
        exitControl('save VMX-preemption timer value'),
      ),
  },
  entry: {
    must: ENTRY_DEFAULT1 & ~controlMask(entryControl('load debug controls')),
    may:
      ENTRY_DEFAULT1 |
      controlMask(entryControl('IA-32e mode guest'), entryControl('load IA32_PAT'), entryControl('load IA32_EFER')),
  },
  cr0: {must: 0x8000_0021n, may: 0xffff_ffffn},
  // VME PVI TSD DE PSE PAE MCE PGE PCE OSFXSR OSXMMEXCPT UMIP VMXE FSGSBASE PCIDE OSXSAVE SMEP SMAP
  cr4: {must: 0x2000n, may: 0x37_2fffn},
  cr3Targets: 4,
  activityStates: 0b111,
  eptVpid: eptVpidMask(
    'walkLength4',
    'executeOnly',
    'uncacheable',
    'writeBack',
    'pages2M',
    'pages1G',
    'invept',
    'accessedDirty',
    'inveptSingle',
    'inveptAll',
    'invvpid',
    'invvpidAddress',
    'invvpidSingle',
    'invvpidAll',
    'invvpidSingleKeepGlobals',
  ),
};

const SECONDARY_CONTROLS_EXIST = controlMask(primaryControl('activate secondary controls'));

const pair = (settings: AllowedSettings): bigint => settings.must | (settings.may << 32n);
const DEFAULT1_KEPT = (settings: AllowedSettings, default1: bigint): bigint =>
  pair({must: settings.must | default1, may: settings.may});

/** The value of a capability MSR (480h to 491h), or undefined where this processor has none of that number: #GP(0). */
export function readVmxCapabilityMsr(capabilities: VmxCapabilities, index: number): bigint | undefined {
  const c = capabilities;
  switch (index) {
    // 4 KiB regions (44:32), write-back memory (53:50), INS/OUTS information (54), TRUE MSRs (55).
    case 0x480:
      return BigInt(c.revision) | (0x1000n << 32n) | (6n << 50n) | (1n << 54n) | (c.hasTrueControls ? 1n << 55n : 0n);
    case 0x481:
      return DEFAULT1_KEPT(c.pin, PIN_DEFAULT1);
    case 0x482:
      return DEFAULT1_KEPT(c.primary, PRIMARY_DEFAULT1);
    case 0x483:
      return DEFAULT1_KEPT(c.exit, EXIT_DEFAULT1);
    case 0x484:
      return DEFAULT1_KEPT(c.entry, ENTRY_DEFAULT1);
    // 4:0 the timer's rate; 5: EFER.LMA is stored into "IA-32e mode guest" on exits.
    case 0x485:
      return (
        BigInt(PREEMPTION_TIMER_RATE) | (1n << 5n) | (BigInt(c.activityStates) << 6n) | (BigInt(c.cr3Targets) << 16n)
      );
    case 0x486:
      return c.cr0.must;
    case 0x487:
      return c.cr0.may;
    case 0x488:
      return c.cr4.must;
    case 0x489:
      return c.cr4.may;
    case 0x48a:
      return 0x2en << 1n;
    case 0x48b:
      return (c.primary.may & SECONDARY_CONTROLS_EXIST) === 0n ? undefined : pair(c.secondary);
    case 0x48c:
      return c.eptVpid === 0n ? undefined : c.eptVpid;
    default:
      return c.hasTrueControls ? trueControls(c, index) : undefined;
  }
}

function trueControls(c: VmxCapabilities, index: number): bigint | undefined {
  switch (index) {
    case 0x48d:
      return pair(c.pin);
    case 0x48e:
      return pair(c.primary);
    case 0x48f:
      return pair(c.exit);
    case 0x490:
      return pair(c.entry);
    default:
      return undefined;
  }
}

/** What a processor of this profile can do. */
export function capabilitiesOf(profile: {readonly vmx?: VmxCapabilities}): VmxCapabilities {
  return profile.vmx ?? VMX_CAPABILITIES;
}
