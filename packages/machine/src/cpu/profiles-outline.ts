// From a few facts to everything that a processor says of itself: the CPUID leaves of a profile.
// Only what the simulator does is announced. Caches and TLBs are announced by nobody: leaf 2 has no descriptor and leaf 4 no
// cache, because the simulated machine has no caches. SDM vol. 2, "CPUID—CPU Identification"; APM vol. 3, "CPUID".

import type {CpuidResult} from './cpuid.js';
import type {Generation, ProcessorProfile} from './core.js';
import {withFeature} from './features.js';
import type {Feature} from './features.js';
import type {VmxCapabilities} from '../vmx/capabilities.js';

export interface Outline {
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  readonly year: number;
  readonly maker: 'Intel' | 'AMD';
  readonly generation: Generation;
  /** Type, family, model and stepping. */
  readonly signature: number;
  readonly physicalAddressBits: number;
  /** The highest basic leaf, and the highest extended one; undefined where there are none. */
  readonly highestLeaf: number | undefined;
  readonly highestExtendedLeaf: number | undefined;
  readonly features: readonly Feature[];
  readonly vmx?: VmxCapabilities;
}

type Leaf = readonly [leaf: number, entry: CpuidResult];

const NOTHING: CpuidResult = [0, 0, 0, 0];
const VENDORS = {Intel: 'GenuineIntel', AMD: 'AuthenticAMD'} as const;
/** Leaf 1 EBX, 15:8: what CLFLUSH flushes, in units of eight bytes. */
const CACHE_LINE = 8 << 8;
/** What MONITOR watches, in bytes. */
const MONITOR_LINE = 64;
/** AMD repeats these bits of leaf 1 EDX in leaf 80000001h EDX: 9:0, 17:12, 24:23. */
const REPEATED_BY_AMD = 0x0183_f3ff;
/** Address-space identifiers, leaf 8000000Ah EBX. */
const ASIDS = 64;

/** Four ASCII characters as a little-endian register. */
function letters(text: string): number {
  return (
    [0, 1, 2, 3].reduce((value, index) => value | (text.padEnd(4, '\0').charCodeAt(index) << (8 * index)), 0) >>> 0
  );
}

/** The vendor string is read from EBX, EDX, ECX, in this order. */
export function vendorLeaf(vendor: string, highest: number): CpuidResult {
  return [highest, letters(vendor.slice(0, 4)), letters(vendor.slice(8, 12)), letters(vendor.slice(4, 8))];
}

/** Leaves 0x80000002 to 0x80000004: 48 characters. */
function brandLeaves(brand: string): readonly Leaf[] {
  const text = brand.padEnd(48, '\0').slice(0, 48);
  return [0, 1, 2].map(leaf => {
    const part = (index: number): number => letters(text.slice(16 * leaf + 4 * index, 16 * leaf + 4 * index + 4));
    return [0x8000_0002 + leaf, [part(0), part(1), part(2), part(3)]] as const;
  });
}

function basicLeaves(outline: Outline, highest: number): readonly Leaf[] {
  const has = (feature: Feature): boolean => outline.features.includes(feature);
  const leaves: readonly Leaf[] = [
    [1, [outline.signature, has('clflush') ? CACHE_LINE : 0, 0, 0]],
    // AL: read leaf 2 once.
    [2, outline.maker === 'Intel' ? [1, 0, 0, 0] : NOTHING],
    [4, NOTHING],
    [5, has('monitor') ? [MONITOR_LINE, MONITOR_LINE, 0, 0] : NOTHING],
    [7, NOTHING],
  ];
  const vendor = VENDORS[outline.maker];
  const all: readonly Leaf[] = [[0, vendorLeaf(vendor, highest)], ...leaves];
  return all.filter(([leaf]) => leaf <= highest);
}

function extendedLeaves(outline: Outline, highest: number): readonly Leaf[] {
  const isAmd = outline.maker === 'AMD';
  const maker = vendorLeaf(VENDORS.AMD, highest);
  const linearBits = outline.features.includes('lm') ? 48 : 32;
  const leaves: readonly Leaf[] = [
    [0x8000_0000, isAmd ? maker : [highest, 0, 0, 0]],
    [0x8000_0001, [isAmd ? outline.signature : 0, 0, 0, 0]],
    ...brandLeaves(`Hyperscope simulated CPU (${outline.id})`),
    // EAX: 7:0 physical, 15:8 linear address bits.
    [0x8000_0008, [outline.physicalAddressBits | (linearBits << 8), 0, 0, 0]],
    [0x8000_000a, outline.features.includes('svm') ? [1, ASIDS, 0, 0] : NOTHING],
  ];
  return leaves.filter(([leaf]) => leaf <= highest);
}

/** The topology of one processor with one thread: leaf 0Bh of Intel's processors since Nehalem. */
const TOPOLOGY: ReadonlyMap<number, CpuidResult> = new Map([
  [0, [0, 1, 0x100, 0]],
  [1, [0, 1, 0x201, 0]],
  [2, [0, 0, 2, 0]],
]);

/** Leaf 0Dh: the components x87 and SSE, and the size of their XSAVE area, compacted or not: 512 + 64 bytes. */
const EXTENDED_STATE: ReadonlyMap<number, CpuidResult> = new Map([
  [0, [3, 576, 576, 0]],
  [1, [0, 576, 0, 0]],
]);

export function profileOf(outline: Outline): ProcessorProfile {
  const {highestLeaf, highestExtendedLeaf, features, vmx, ...facts} = outline;
  const leaves = [
    ...(highestLeaf === undefined ? [] : basicLeaves(outline, highestLeaf)),
    ...(highestExtendedLeaf === undefined ? [] : extendedLeaves(outline, highestExtendedLeaf)),
  ];
  const cpuid = new Map<number, ReadonlyMap<number, CpuidResult>>(
    leaves.map(([leaf, entry]) => [leaf, new Map([[0, entry]])]),
  );
  if (features.includes('xsave')) cpuid.set(0xd, EXTENDED_STATE);
  if (outline.maker === 'Intel' && highestLeaf !== undefined && highestLeaf >= 0xb) cpuid.set(0xb, TOPOLOGY);
  const base: ProcessorProfile = {
    ...facts,
    vendor: VENDORS[outline.maker],
    strict: false,
    cpuid,
    ...(vmx === undefined ? {} : {vmx}),
  };
  const built = {...features.reduce((profile, feature) => withFeature(profile, feature, 'on'), base), id: outline.id};
  return outline.maker === 'AMD' ? withRepeatedFeatures(built) : built;
}

function withRepeatedFeatures(profile: ProcessorProfile): ProcessorProfile {
  const [eax, ebx, ecx, edx] = profile.cpuid.get(0x8000_0001)?.get(0) ?? NOTHING;
  const repeated = (profile.cpuid.get(1)?.get(0)?.[3] ?? 0) & REPEATED_BY_AMD;
  const entry: CpuidResult = [eax, ebx, ecx, (edx | repeated) >>> 0];
  return {...profile, cpuid: new Map(profile.cpuid).set(0x8000_0001, new Map([[0, entry]]))};
}
