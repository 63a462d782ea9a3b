// Processor profiles: what CPUID announces, and therefore what exists. Only what the simulator does is announced: a bit
// for FPU, SSE or XSAVE would be a promise it cannot keep, so a profile has the name of the generation whose
// system architecture (paging, VT-x) it follows, and fewer instructions. SDM vol. 2, "CPUID—CPU Identification".

import type {ProcessorProfile} from './core.js';
import {withFeature} from './features.js';
import type {Feature} from './features.js';
import type {CpuidResult} from './cpuid.js';

/** Leaf 1 EDX. */
const BASE_EDX = bitMask(
  3, // PSE: 4 MiB pages
  4, // TSC: RDTSC
  5, // MSR: RDMSR and WRMSR
  6, // PAE: 64-bit page-table entries
  8, // CX8: CMPXCHG8B
  11, // SEP: SYSENTER and SYSEXIT
  13, // PGE: global pages
  15, // CMOV
  16, // PAT: page attribute table
  19, // CLFSH: CLFLUSH
);
/** Leaf 0x80000001 EDX. */
const EXTENDED_EDX = bitMask(
  11, // SYSCALL and SYSRET in 64-bit mode
  20, // NX: pages that cannot be executed
  27, // RDTSCP
  29, // LM: Intel 64
);
const EXTENDED_ECX = bitMask(0); // LAHF and SAHF in 64-bit mode
/** Leaf 1 ECX. */
const BASE_ECX = bitMask(
  5, // VMX
  13, // CX16: CMPXCHG16B
  23, // POPCNT
);
/** Leaf 1 EBX, 15:8: what CLFLUSH flushes, in units of eight bytes. */
const CACHE_LINE = 8 << 8;

function bitMask(...bits: readonly number[]): number {
  return bits.reduce((mask, bit) => mask | (1 << bit), 0) >>> 0;
}

/** Four ASCII characters as a little-endian register. */
function letters(text: string): number {
  return (
    [0, 1, 2, 3].reduce((value, index) => value | (text.padEnd(4, '\0').charCodeAt(index) << (8 * index)), 0) >>> 0
  );
}

/** The vendor string is read from EBX, EDX, ECX, in this order. */
function vendorLeaf(vendor: string, highest: number): CpuidResult {
  return [highest, letters(vendor.slice(0, 4)), letters(vendor.slice(8, 12)), letters(vendor.slice(4, 8))];
}

/** Leaves 0x80000002 to 0x80000004: 48 characters. */
function brandLeaves(brand: string): (readonly [number, CpuidResult])[] {
  const text = brand.padEnd(48, '\0').slice(0, 48);
  return [0, 1, 2].map(leaf => {
    const part = (index: number): number => letters(text.slice(16 * leaf + 4 * index, 16 * leaf + 4 * index + 4));
    return [0x8000_0002 + leaf, [part(0), part(1), part(2), part(3)]] as const;
  });
}

interface Outline {
  readonly id: string;
  readonly title: string;
  /** Leaf 1 EAX: family, model, stepping. */
  readonly signature: number;
  readonly physicalAddressBits: number;
  readonly features: readonly Feature[];
}

const VENDOR = 'GenuineIntel';

function profile(outline: Outline): ProcessorProfile {
  const single = (entry: CpuidResult): ReadonlyMap<number, CpuidResult> => new Map([[0, entry]]);
  const leaves: (readonly [number, CpuidResult])[] = [
    [0, vendorLeaf(VENDOR, 7)],
    [1, [outline.signature, CACHE_LINE, BASE_ECX, BASE_EDX]],
    [7, [0, 0, 0, 0]],
    [0x8000_0000, [0x8000_0008, 0, 0, 0]],
    [0x8000_0001, [0, 0, EXTENDED_ECX, EXTENDED_EDX]],
    ...brandLeaves(`Hyperscope simulated CPU (${outline.id})`),
    // EAX: 7:0 physical, 15:8 linear address bits.
    [0x8000_0008, [outline.physicalAddressBits | (48 << 8), 0, 0, 0]],
  ];
  const base: ProcessorProfile = {
    id: outline.id,
    title: outline.title,
    vendor: VENDOR,
    physicalAddressBits: outline.physicalAddressBits,
    cpuid: new Map(leaves.map(([leaf, entry]) => [leaf, single(entry)])),
  };
  return {...outline.features.reduce((built, feature) => withFeature(built, feature, 'on'), base), id: outline.id};
}

/** 2008: VT-x with EPT and VPID. The default. Family 6, model 1Ah. */
export const NEHALEM = profile({
  id: 'nehalem',
  title: 'Nehalem-like (VT-x with EPT)',
  signature: 0x0001_06a5,
  physicalAddressBits: 40,
  features: [],
});
/** 2010: 1 GiB pages; with it came "unrestricted guest". Family 6, model 2Ch. */
export const WESTMERE = profile({
  id: 'westmere',
  title: 'Westmere-like (1 GiB pages)',
  signature: 0x0002_06c2,
  physicalAddressBits: 40,
  features: ['gigabytePages'],
});
/** A recent one's system architecture: SMEP, SMAP, UMIP and 1 GiB pages. Family 6, model 55h. */
export const MODERN_INTEL = profile({
  id: 'modern-intel',
  title: 'Recent Intel-like (SMEP, SMAP, UMIP)',
  signature: 0x0005_0657,
  physicalAddressBits: 46,
  features: [
    'gigabytePages',
    'smep',
    'smap',
    'umip',
    'movbe',
    'rdrand',
    'rdseed',
    'lzcnt',
    'bmi1',
    'bmi2',
    'adx',
    'fsgsbase',
    'rdpid',
    'clflushopt',
    'clwb',
  ],
});

export const PROFILES: readonly ProcessorProfile[] = [NEHALEM, WESTMERE, MODERN_INTEL];
export const DEFAULT_PROFILE = NEHALEM;

export function profileById(id: string): ProcessorProfile | undefined {
  return PROFILES.find(each => each.id === id);
}

/** The same processor under another maker's name: twelve characters, as CPUID leaf 0 tells them. */
export function withVendor(original: ProcessorProfile, vendor: string): ProcessorProfile {
  const highest = original.cpuid.get(0)?.get(0)?.[0] ?? 0;
  const cpuid = new Map(original.cpuid).set(0, new Map([[0, vendorLeaf(vendor.slice(0, 12), highest)]]));
  return {...original, vendor, cpuid};
}
