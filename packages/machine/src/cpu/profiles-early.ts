// The 32-bit processors: from the 386, where all of this began, to the last Intel generation that could not be virtualized
// without tricks. Signatures: Intel application note 485, "Intel Processor Identification and the CPUID Instruction".

import {profileOf} from './profiles-outline.js';

/** 1985: paging and protection, and nothing that came later. It has no CPUID; software knows it by flags that do not move. */
export const I386 = profileOf({
  id: 'i386',
  title: '386 (1985)',
  summary: 'no CPUID, no CR4, no BSWAP, CMPXCHG, XADD, INVLPG; CR0.WP and RFLAGS.AC do not exist',
  year: 1985,
  maker: 'Intel',
  generation: 'i386',
  signature: 0x0303,
  physicalAddressBits: 32,
  highestLeaf: undefined,
  highestExtendedLeaf: undefined,
  features: [],
});

/** 1989: caches and CR0.WP, AM, NE; RFLAGS.AC. Its first steppings have no CPUID and no CR4. */
export const I486 = profileOf({
  id: 'i486',
  title: '486 (1989)',
  summary: 'adds the FPU, BSWAP, CMPXCHG, XADD, INVLPG, CR0.WP and alignment checks; no CPUID yet',
  year: 1989,
  maker: 'Intel',
  generation: 'i486',
  signature: 0x0401,
  physicalAddressBits: 32,
  highestLeaf: undefined,
  highestExtendedLeaf: undefined,
  // The 486DX has its FPU on the chip. Nothing can ask: there is no leaf 0, so there is no CPUID.
  features: ['fpu'],
});

/** 1994 (P54C): CPUID, CR4, 4 MiB pages, time-stamp counter, model-specific registers, local APIC. */
export const PENTIUM = profileOf({
  id: 'pentium',
  title: 'Pentium (1994)',
  summary: 'adds CPUID, CR4, RDTSC, RDMSR, CMPXCHG8B, 4 MiB pages',
  year: 1994,
  maker: 'Intel',
  generation: 'p5',
  signature: 0x052c,
  physicalAddressBits: 32,
  highestLeaf: 1,
  highestExtendedLeaf: undefined,
  features: ['fpu', 'vme', 'de', 'pse', 'tsc', 'msr', 'mce', 'cx8', 'apic'],
});

/** 1999 (Coppermine): PAE, global pages, PAT, SYSENTER, CMOV. What Robin and Irvine studied and VMware translated. */
export const PENTIUM_III = profileOf({
  id: 'pentium-iii',
  title: 'Pentium III (1999)',
  summary: 'adds PAE, global pages, PAT, SYSENTER, CMOV; no 64-bit mode, no NX, no VT-x',
  year: 1999,
  maker: 'Intel',
  generation: 'p6',
  signature: 0x0683,
  physicalAddressBits: 36,
  highestLeaf: 2,
  highestExtendedLeaf: undefined,
  features: [
    ...([
      'fpu',
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
      'cmov',
      'mtrr',
      'pat',
      'pse36',
    ] as const),
    ...(['mmx', 'fxsr', 'sse'] as const),
  ],
});
