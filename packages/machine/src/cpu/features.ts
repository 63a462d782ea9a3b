// The features that CPUID can announce and that change what the simulated processor does, with the bit of each.
// SDM vol. 2, "CPUID—CPU Identification".

import {INSTRUCTION_FEATURES} from '@hyperscope/isa';
import type {InstructionFeature} from '@hyperscope/isa';
import {keysOf, recordOf} from '@hyperscope/base';
import {EPT_VPID, capabilitiesOf} from '../vmx/capabilities.js';
import {GENERATIONS} from './core.js';
import type {Generation, ProcessorProfile} from './core.js';

interface FeatureBit {
  readonly leaf: number;
  readonly subleaf: number;
  /** 0 EAX, 1 EBX, 2 ECX, 3 EDX. */
  readonly register: 0 | 1 | 2 | 3;
  readonly bit: number;
}

const at = (leaf: number, register: 0 | 1 | 2 | 3, bit: number): FeatureBit => ({leaf, subleaf: 0, register, bit});

export const FEATURE_BITS = {
  fpu: at(1, 3, 0),
  vme: at(1, 3, 1),
  de: at(1, 3, 2),
  pse: at(1, 3, 3),
  tsc: at(1, 3, 4),
  msr: at(1, 3, 5),
  pae: at(1, 3, 6),
  apic: at(1, 3, 9),
  sep: at(1, 3, 11),
  mtrr: at(1, 3, 12),
  pge: at(1, 3, 13),
  pat: at(1, 3, 16),
  mce: at(1, 3, 7),
  cx8: at(1, 3, 8),
  mca: at(1, 3, 14),
  cmov: at(1, 3, 15),
  pse36: at(1, 3, 17),
  clflush: at(1, 3, 19),
  mmx: at(1, 3, 23),
  fxsr: at(1, 3, 24),
  sse: at(1, 3, 25),
  sse2: at(1, 3, 26),
  sse3: at(1, 2, 0),
  pclmulqdq: at(1, 2, 1),
  ssse3: at(1, 2, 9),
  sse41: at(1, 2, 19),
  aes: at(1, 2, 25),
  avx: at(1, 2, 28),
  avx512f: at(7, 1, 16),
  sha: at(7, 1, 29),
  gfni: at(7, 2, 8),
  xsaveopt: {leaf: 0xd, subleaf: 1, register: 0, bit: 0},
  xsavec: {leaf: 0xd, subleaf: 1, register: 0, bit: 1},
  sse4a: at(0x8000_0001, 2, 6),
  xop: at(0x8000_0001, 2, 11),
  amd3dnow: at(0x8000_0001, 3, 31),
  monitor: at(1, 2, 3),
  cx16: at(1, 2, 13),
  sse42: at(1, 2, 20),
  x2apic: at(1, 2, 21),
  movbe: at(1, 2, 22),
  popcnt: at(1, 2, 23),
  tscDeadline: at(1, 2, 24),
  xsave: at(1, 2, 26),
  rdrand: at(1, 2, 30),
  vmx: at(1, 2, 5),
  pcid: at(1, 2, 17),
  fsgsbase: at(7, 1, 0),
  bmi1: at(7, 1, 3),
  smep: at(7, 1, 7),
  bmi2: at(7, 1, 8),
  invpcid: at(7, 1, 10),
  rdseed: at(7, 1, 18),
  adx: at(7, 1, 19),
  clflushopt: at(7, 1, 23),
  clwb: at(7, 1, 24),
  rdpid: at(7, 2, 22),
  smap: at(7, 1, 20),
  umip: at(7, 2, 2),
  la57: at(7, 2, 16),
  lahf64: at(0x8000_0001, 2, 0),
  lzcnt: at(0x8000_0001, 2, 5),
  prefetchw: at(0x8000_0001, 2, 8),
  syscall: at(0x8000_0001, 3, 11),
  nx: at(0x8000_0001, 3, 20),
  gigabytePages: at(0x8000_0001, 3, 26),
  rdtscp: at(0x8000_0001, 3, 27),
  lm: at(0x8000_0001, 3, 29),
  svm: at(0x8000_0001, 2, 2),
  nestedPaging: at(0x8000_000a, 3, 0),
  nrips: at(0x8000_000a, 3, 3),
  vmcbClean: at(0x8000_000a, 3, 5),
  flushByAsid: at(0x8000_000a, 3, 6),
  decodeAssists: at(0x8000_000a, 3, 7),
  pauseFilter: at(0x8000_000a, 3, 10),
  pauseFilterThreshold: at(0x8000_000a, 3, 12),
} as const satisfies Readonly<Record<string, FeatureBit>>;
export type Feature = keyof typeof FEATURE_BITS;
export type ProcessorFeatures = Readonly<Record<Feature, boolean>>;

/** Whether a text names a feature (for `--cpu PROFILE,+feature`). */
export function isFeature(name: string): name is Feature {
  return Object.hasOwn(FEATURE_BITS, name);
}

function announces(profile: ProcessorProfile, feature: Feature): boolean {
  const {leaf, subleaf, register, bit} = FEATURE_BITS[feature];
  const values = profile.cpuid.get(leaf)?.get(subleaf);
  return values !== undefined && ((values[register] >>> bit) & 1) === 1;
}

export function featuresOf(profile: ProcessorProfile): ProcessorFeatures {
  return recordOf(keysOf(FEATURE_BITS), feature => announces(profile, feature));
}

/** The parts of the instruction set that the profile announces: what the decoder may recognise. */
export function announcedInstructions(profile: ProcessorProfile): ReadonlySet<InstructionFeature> {
  return new Set(INSTRUCTION_FEATURES.filter(feature => hasInstructions(profile, feature)));
}

function hasInstructions(profile: ProcessorProfile, feature: InstructionFeature): boolean {
  switch (feature) {
    case 'i486':
    case 'p6':
      return isSince(profile, feature);
    case 'cr4':
      return isSince(profile, 'p5');
    // The 486 has its FPU on the chip, and no CPUID to say so.
    case 'fpu':
      return profile.generation === 'i486' || announces(profile, 'fpu');
    case 'cpuid':
      return profile.cpuid.has(0);
    // A 64-bit processor that does not announce PREFETCHW does nothing with it. SDM vol. 2, "PREFETCHW".
    case 'prefetchw':
      return announces(profile, 'lm') || announces(profile, 'prefetchw');
    case 'ept':
    case 'vpid':
      return announces(profile, 'vmx') && ((capabilitiesOf(profile).eptVpid >> INVALIDATES[feature]) & 1n) === 1n;
    default:
      return announces(profile, feature);
  }
}

/** The bits of IA32_VMX_EPT_VPID_CAP that announce INVEPT and INVVPID. */
const INVALIDATES = {ept: BigInt(EPT_VPID.invept), vpid: BigInt(EPT_VPID.invvpid)} as const;

/** Whether a profile is of a generation, or of a later one. */
export function isSince(profile: ProcessorProfile, generation: Generation): boolean {
  return GENERATIONS.indexOf(profile.generation) >= GENERATIONS.indexOf(generation);
}

/** Bits of RFLAGS that software cannot set: AC came with the 486, ID, VIF and VIP with the Pentium. */
export function absentFlags(profile: ProcessorProfile): bigint {
  if (!isSince(profile, 'i486')) return 0x3c_0000n;
  return isSince(profile, 'p5') ? 0n : 0x38_0000n;
}

/** A profile as its machine really is: virtualization is announced where there is a unit for it, and only there. */
export function withUnit(profile: ProcessorProfile, unit: 'vmx' | 'svm' | undefined): ProcessorProfile {
  const missing = (['vmx', 'svm'] as const).filter(feature => feature !== unit && announces(profile, feature));
  return missing.reduce((built, feature) => ({...withFeature(built, feature, 'off'), id: profile.id}), profile);
}

/** A profile with features switched on or off: the id says which. */
export function withFeature(profile: ProcessorProfile, feature: Feature, wanted: 'on' | 'off'): ProcessorProfile {
  const {leaf, subleaf, register, bit} = FEATURE_BITS[feature];
  const mask = (1 << bit) >>> 0;
  const old = profile.cpuid.get(leaf)?.get(subleaf) ?? [0, 0, 0, 0];
  const set = (index: 0 | 1 | 2 | 3): number => {
    if (index !== register) return old[index];
    return (wanted === 'on' ? old[index] | mask : old[index] & ~mask) >>> 0;
  };
  const cpuid = new Map(profile.cpuid);
  cpuid.set(leaf, new Map([...(profile.cpuid.get(leaf) ?? []), [subleaf, [set(0), set(1), set(2), set(3)] as const]]));
  return {...profile, cpuid, id: `${profile.id},${wanted === 'on' ? '+' : '-'}${feature}`};
}
