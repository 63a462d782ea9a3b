import {expect, test} from 'vitest';
import {cpuidEntry} from './cpuid.js';
import {featuresOf, withFeature} from './features.js';
import {MODERN_INTEL, NEHALEM, PROFILES, profileById, withVendor} from './profiles.js';

test('profiles are found by id, and stand in the order of their years', () => {
  for (const profile of PROFILES) expect(profileById(profile.id)).toBe(profile);
  expect(PROFILES.map(({year}) => year)).toEqual(PROFILES.map(({year}) => year).toSorted((a, b) => a - b));
});

test('virtualization came in 2005: VMX with Intel, SVM with AMD', () => {
  const having = (feature: 'lm' | 'vmx' | 'svm'): readonly string[] =>
    PROFILES.filter(profile => featuresOf(profile)[feature]).map(({id}) => id);
  expect(having('lm')).toEqual(['prescott', 'amd-svm', 'nehalem', 'westmere', 'modern-intel']);
  expect(having('vmx')).toEqual(['prescott', 'nehalem', 'westmere', 'modern-intel']);
  expect(having('svm')).toEqual(['amd-svm']);
});

test('a feature can be switched on and off, and nothing else changes', () => {
  const without = withFeature(MODERN_INTEL, 'smep', 'off');
  expect(featuresOf(without)).toEqual({...featuresOf(MODERN_INTEL), smep: false});
  expect(withFeature(without, 'smep', 'on').cpuid).toEqual(MODERN_INTEL.cpuid);
});

test('another vendor is another twelve letters in leaf 0', () => {
  const letters = (register: number): string =>
    String.fromCharCode(register & 255, (register >> 8) & 255, (register >> 16) & 255, register >>> 24);
  const [, ebx, ecx, edx] = cpuidEntry(withVendor(NEHALEM, 'AuthenticAMD'), 0, 0);
  expect(letters(ebx) + letters(edx) + letters(ecx)).toBe('AuthenticAMD');
});

test('a leaf beyond the highest reads as the highest basic leaf; a missing one in between as zeros', () => {
  expect(cpuidEntry(NEHALEM, 0x4000_0000, 0)).toEqual([0, 1, 0x100, 0]);
  expect(cpuidEntry(NEHALEM, 0x4000_0000, 0)).toEqual(cpuidEntry(NEHALEM, 0xb, 0));
  expect(cpuidEntry(MODERN_INTEL, 6, 0)).toEqual([0, 0, 0, 0]);
  expect(cpuidEntry(MODERN_INTEL, 7, 1)).toEqual([0, 0, 0, 0]);
});
