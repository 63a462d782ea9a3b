import {expect, test} from 'vitest';
import {protectedMode} from '../machine-fixture.js';
import type {TestMachine} from '../machine-fixture.js';
import type {ProcessorProfile} from './core.js';
import {AMD_SVM} from './profiles-amd.js';
import {I486, PENTIUM, PENTIUM_III} from './profiles-early.js';
import {MODERN_INTEL, NEHALEM} from './profiles.js';

const GP = ['13:0'];
const MCG_CAP = 0x179n,
  MCG_STATUS = 0x17an,
  MCG_CTL = 0x17bn,
  MC0_CTL = 0x400n;

/** RDMSR, HLT, with something in EDX:EAX that only RDMSR can clear. */
const read = (profile: ProcessorProfile, msr: bigint): TestMachine => {
  const t = protectedMode({profile}, '0f 32 f4').set({RCX: msr, RAX: 0x55n, RDX: 0x55n});
  t.run();
  return t;
};
/** WRMSR, RDMSR, HLT. */
const written = (profile: ProcessorProfile, msr: bigint, value: bigint): TestMachine => {
  const t = protectedMode({profile}, '0f 30 b8 55 00 00 00 0f 32 f4').set({RCX: msr, RAX: value, RDX: 0n});
  t.run();
  return t;
};

test.each([PENTIUM_III, NEHALEM, MODERN_INTEL, AMD_SVM])(
  '$id has the machine-check architecture, without banks',
  profile => {
    const t = read(profile, MCG_CAP);
    expect([t.exceptions, t.get('RAX'), t.get('RDX')]).toEqual([[], 0n, 0n]);
    expect([MCG_CTL, MC0_CTL].map(msr => read(profile, msr).exceptions)).toEqual([GP, GP]);
  },
);

test('IA32_MCG_STATUS keeps RIPV, EIPV and MCIP; its other bits are reserved, and IA32_MCG_CAP is read-only', () => {
  const t = written(MODERN_INTEL, MCG_STATUS, 5n);
  expect([t.exceptions, t.get('RAX')]).toEqual([[], 5n]);
  expect([written(MODERN_INTEL, MCG_STATUS, 8n), written(MODERN_INTEL, MCG_CAP, 0n)].map(w => w.exceptions)).toEqual([
    GP,
    GP,
  ]);
});

test('a Pentium has the exception and its two registers, and no machine-check architecture', () => {
  const tried = [0n, 1n, MCG_CAP, MCG_STATUS].map(msr => read(PENTIUM, msr));
  expect(tried.map(t => t.exceptions)).toEqual([[], [], GP, GP]);
  expect(tried.slice(0, 2).map(t => t.get('RAX'))).toEqual([0n, 0n]);
});

test('CR4.MCE can be set where CPUID announces MCE', () => {
  const profile: ProcessorProfile = {...PENTIUM, cpuid: I486.cpuid};
  const set = (which: ProcessorProfile): readonly string[] => {
    const t = protectedMode({profile: which}, '0f 22 e0 f4').set({RAX: 0x40n});
    t.run();
    return t.exceptions;
  };
  expect([set(PENTIUM), set(profile)]).toEqual([[], GP]);
});
