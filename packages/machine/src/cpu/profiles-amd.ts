// AMD's processors with SVM. APM vol. 3, "CPUID"; AMD "CPUID Specification" (25481); "Revision Guide for AMD Family 10h
// Processors" (41322). SVM itself is announced on machines that have its unit, see `withUnit`.

import {profileOf} from './profiles-outline.js';

/** 2008, an Opteron of family 10h ("Shanghai"): SVM with nested paging and next RIP, which its forerunner lacked. Model 4, revision C2. */
export const AMD_SVM = profileOf({
  id: 'amd-svm',
  title: 'AMD family 10h (2008, SVM with nested paging)',
  summary:
    'SVM with nested paging, 1 GiB pages, LZCNT and POPCNT; SYSENTER only outside long mode, SYSCALL in every mode',
  year: 2008,
  maker: 'AMD',
  generation: 'p6',
  signature: 0x0010_0f42,
  physicalAddressBits: 48,
  highestLeaf: 5,
  highestExtendedLeaf: 0x8000_001a,
  features: [
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
    'cx8',
    'apic',
    'sep',
    'pge',
    'cmov',
    'pat',
    'pse36',
    'clflush',
    'monitor',
    'cx16',
    'popcnt',
    'syscall',
    'nx',
    'lm',
    'gigabytePages',
    'rdtscp',
    'lahf64',
    'lzcnt',
    'prefetchw',
    'svm',
    'nestedPaging',
    'nrips',
  ],
});
