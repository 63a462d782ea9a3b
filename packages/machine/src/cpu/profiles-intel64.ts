// Intel's 64-bit processors, each a step of VT-x: 2005 the first, 2008 EPT and VPID, 2010 unrestricted guest, then today.
// Signatures: Intel application note 485, and SDM vol. 4, "CPUID Signature Values of DisplayFamily_DisplayModel".

import {NEHALEM_VMX, PRESCOTT_VMX, WESTMERE_VMX} from '../vmx/generations.js';
import {VMX_CAPABILITIES} from '../vmx/capabilities.js';
import type {Feature} from './features.js';
import {profileOf} from './profiles-outline.js';

const INTEL_64: readonly Feature[] = [
  'fpu',
  'mmx',
  'fxsr',
  'sse',
  'sse2',
  'vme',
  'de',
  'pse',
  'tsc',
  'msr',
  'pae',
  'mce',
  'cx8',
  'apic',
  'sep',
  'pge',
  'mca',
  'mtrr',
  'cmov',
  'pat',
  'pse36',
  'clflush',
  'monitor',
  'cx16',
  'syscall',
  'nx',
  'lm',
  'vmx',
];
const SINCE_NEHALEM: readonly Feature[] = ['popcnt', 'lahf64', 'rdtscp', 'x2apic'];

/** 2005, Pentium 4 662 and 672: the first VT-x, with ten instructions. No LAHF in 64-bit mode, no RDTSCP, no EPT. */
export const PRESCOTT = profileOf({
  id: 'prescott',
  title: 'Prescott (2005, first VT-x)',
  summary: '64-bit mode, NX, MONITOR and the first VT-x: ten instructions, no EPT, no VPID, no secondary controls',
  year: 2005,
  maker: 'Intel',
  generation: 'p6',
  signature: 0x0000_0f4a,
  physicalAddressBits: 36,
  highestLeaf: 5,
  highestExtendedLeaf: 0x8000_0008,
  features: INTEL_64,
  vmx: PRESCOTT_VMX,
});

/** 2008: VT-x with EPT and VPID. Family 6, model 1Ah. */
export const NEHALEM = profileOf({
  id: 'nehalem',
  title: 'Nehalem-like (VT-x with EPT)',
  summary: 'adds EPT and VPID, POPCNT, RDTSCP; a guest must have paging on (no unrestricted guest)',
  year: 2008,
  maker: 'Intel',
  generation: 'p6',
  signature: 0x0001_06a5,
  physicalAddressBits: 40,
  highestLeaf: 0xb,
  highestExtendedLeaf: 0x8000_0008,
  features: [...INTEL_64, ...SINCE_NEHALEM],
  vmx: NEHALEM_VMX,
});

/** 2010: 1 GiB pages; with it came "unrestricted guest". Family 6, model 2Ch. */
export const WESTMERE = profileOf({
  id: 'westmere',
  title: 'Westmere-like (1 GiB pages)',
  summary: 'adds unrestricted guest (real mode under EPT) and 1 GiB pages; what runs where none is chosen',
  year: 2010,
  maker: 'Intel',
  generation: 'p6',
  signature: 0x0002_06c2,
  physicalAddressBits: 40,
  highestLeaf: 0xb,
  highestExtendedLeaf: 0x8000_0008,
  features: [...INTEL_64, ...SINCE_NEHALEM, 'tscDeadline', 'gigabytePages'],
  vmx: WESTMERE_VMX,
});

/** 2021, a server's Ice Lake: SMEP, SMAP, UMIP. Family 6, model 6Ah. */
export const MODERN_INTEL = profileOf({
  id: 'modern-intel',
  title: 'Recent Intel-like (SMEP, SMAP, UMIP)',
  summary: 'adds SMEP, SMAP, UMIP, FSGSBASE, BMI1, BMI2, ADX, MOVBE, RDRAND, RDSEED, RDPID',
  year: 2021,
  maker: 'Intel',
  generation: 'p6',
  signature: 0x0006_06a6,
  physicalAddressBits: 46,
  highestLeaf: 0xd,
  highestExtendedLeaf: 0x8000_0008,
  features: [
    ...INTEL_64,
    ...SINCE_NEHALEM,
    'tscDeadline',
    'gigabytePages',
    'smep',
    'pcid',
    'invpcid',
    'smap',
    'umip',
    'movbe',
    'rdrand',
    'rdseed',
    'lzcnt',
    'prefetchw',
    'bmi1',
    'bmi2',
    'adx',
    'fsgsbase',
    'rdpid',
    'clflushopt',
    'clwb',
    'xsave',
    'xsaveopt',
    'xsavec',
  ],
  vmx: VMX_CAPABILITIES,
});
