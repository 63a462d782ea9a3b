// What the capability MSRs announce, per generation: nothing that the processor lacks.

import {describe, expect, test} from 'vitest';
import {supportedCr4} from '../cpu/control-registers.js';
import {featuresOf} from '../cpu/features.js';
import {MODERN_INTEL, NEHALEM, PRESCOTT, WESTMERE} from '../cpu/profiles-intel64.js';
import {VMX_CAPABILITIES, capabilitiesOf, readVmxCapabilityMsr} from './capabilities.js';
import {PRIMARY_CONTROLS, SECONDARY_CONTROLS} from './control-bits.js';
import type {SecondaryControl} from './control-bits.js';

const PROFILES = [PRESCOTT, NEHALEM, WESTMERE, MODERN_INTEL] as const;
const msr = (profile: (typeof PROFILES)[number], index: number): bigint | undefined =>
  readVmxCapabilityMsr(capabilitiesOf(profile), index);
const secondaryOf = (profile: (typeof PROFILES)[number]): readonly string[] =>
  Object.entries(SECONDARY_CONTROLS)
    .filter(([, bit]) => (((msr(profile, 0x48b) ?? 0n) >> BigInt(32 + bit)) & 1n) === 1n)
    .map(([name]) => name);

test.each(PROFILES.map(profile => [profile.id, profile] as const))(
  '%s: IA32_VMX_CR4_FIXED1 has the bits of CR4 that the processor has',
  (_, profile) => {
    expect(msr(profile, 0x489)).toBe(supportedCr4(featuresOf(profile), 'with VMX'));
  },
);

describe('secondary controls', () => {
  const WITH_EPT: readonly SecondaryControl[] = [
    'enable EPT',
    'descriptor-table exiting',
    'enable RDTSCP',
    'enable VPID',
    'WBINVD exiting',
  ];
  test.each([
    [PRESCOTT, []],
    [NEHALEM, WITH_EPT],
    [WESTMERE, [...WITH_EPT, 'unrestricted guest', 'PAUSE-loop exiting']],
    [
      MODERN_INTEL,
      [
        ...WITH_EPT,
        'unrestricted guest',
        'PAUSE-loop exiting',
        'RDRAND exiting',
        'enable INVPCID',
        'RDSEED exiting',
        'use TSC scaling',
      ],
    ],
  ] as const)('$id', (profile, expected) => {
    expect(secondaryOf(profile).toSorted()).toEqual([...expected].toSorted());
  });
});

test('the TPR shadow is there since 2005, INVVPID and INVEPT with EPT', () => {
  for (const profile of PROFILES)
    expect(((msr(profile, 0x482) ?? 0n) >> BigInt(32 + PRIMARY_CONTROLS['use TPR shadow'])) & 1n).toBe(1n);
  expect(PROFILES.map(profile => msr(profile, 0x48c) === undefined)).toEqual([true, false, false, false]);
  expect(PROFILES.map(profile => msr(profile, 0x48d) === undefined)).toEqual([true, false, false, false]);
  expect(readVmxCapabilityMsr(VMX_CAPABILITIES, 0x492)).toBeUndefined();
});
