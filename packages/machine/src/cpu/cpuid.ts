// CPUID: the profile's table, with the few bits that follow the state of the processor.
// SDM vol. 2, "CPUID—CPU Identification".

import {CR4} from './cell-indexes.js';
import type {ProcessorProfile} from './core.js';
import {low} from './modes.js';
import type {Processor} from './processor.js';

export type CpuidResult = readonly [eax: number, ebx: number, ecx: number, edx: number];

/** What the profile says for a leaf. One beyond the highest reads as the highest basic leaf on Intel's, as zeros on AMD's. */
export function cpuidEntry(profile: ProcessorProfile, leaf: number, subleaf: number): CpuidResult {
  const table = profile.cpuid.get(leaf);
  if (table !== undefined)
    return (
      table.get(subleaf) ?? (table.size === 1 && !HAS_SUBLEAVES.has(leaf) ? table.get(0) : undefined) ?? [0, 0, 0, 0]
    );
  const highestBasic = profile.cpuid.get(0)?.get(0)?.[0] ?? 0;
  const highestExtended = profile.cpuid.get(0x8000_0000)?.get(0)?.[0] ?? 0;
  const isInRange = leaf <= highestBasic || (leaf >= 0x8000_0000 && leaf <= highestExtended);
  if (isInRange || profile.maker === 'AMD') return [0, 0, 0, 0];
  const highest = profile.cpuid.get(highestBasic);
  return highest?.get(subleaf) ?? highest?.get(0) ?? [0, 0, 0, 0];
}

const HAS_SUBLEAVES: ReadonlySet<number> = new Set([4, 7, 0xb, 0xd, 0xf, 0x10, 0x14, 0x17, 0x18, 0x1f]);

export function cpuid(cpu: Processor, leaf: number, subleaf: number): undefined {
  const [eax, ebx, ecx, edx] = adjusted(cpu, leaf, cpuidEntry(cpu.profile, leaf, subleaf));
  const {registers} = cpu;
  registers.set('RAX', BigInt(eax >>> 0));
  registers.set('RBX', BigInt(ebx >>> 0));
  registers.set('RCX', BigInt(ecx >>> 0));
  registers.set('RDX', BigInt(edx >>> 0));
}

const CR4_OSXSAVE = 1 << 18;
const APIC_GLOBAL_ENABLE = 1n << 11n;

function adjusted(cpu: Processor, leaf: number, entry: CpuidResult): CpuidResult {
  if (leaf !== 1) return entry;
  const osxsave = (low(cpu.registers, CR4) & CR4_OSXSAVE) === 0 ? 0 : 1 << 27;
  const apicIsOff = (cpu.registers.get('APIC_BASE') & APIC_GLOBAL_ENABLE) === 0n;
  return [entry[0], entry[1], (entry[2] & ~(1 << 27)) | osxsave, apicIsOff ? entry[3] & ~(1 << 9) : entry[3]];
}
