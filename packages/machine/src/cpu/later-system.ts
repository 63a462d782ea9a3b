// The machinery of WRFSBASE, XSETBV, INVPCID and RDPMC. SDM vol. 2, each under its name.

import type {SegmentRegister} from '@hyperscope/isa';
import {CR3, CR4} from './cell-indexes.js';
import {cpuidEntry} from './cpuid.js';
import {Checklist, shown} from './faults.js';
import {CR4_PCIDE, isCanonical, low} from './modes.js';
import type {Processor} from './processor.js';
import type {Trouble} from './trouble.js';

export function loadSegmentBase(cpu: Processor, register: SegmentRegister, base: bigint): Trouble | undefined {
  const checks = new Checklist('SDM vol. 2, "WRFSBASE/WRGSBASE—Write FS/GS Segment Base"');
  if (!checks.require('the base is canonical', isCanonical(base), shown('base', base))) return checks.fault('#GP', 0);
  cpu.registers.set(`${register}.base`, base);
  return undefined;
}

const XCR0_X87 = 1n,
  XCR0_SSE = 2n,
  XCR0_AVX = 4n;

/** XCR0 may hold what CPUID leaf 0Dh lists; x87 state is always part of it, and AVX needs SSE. */
export function loadXcr(cpu: Processor, index: number, value: bigint): Trouble | undefined {
  const checks = new Checklist('SDM vol. 2, "XSETBV—Set Extended Control Register"');
  const xcr0 = shown('value', value);
  if (!checks.require('ECX = 0 (XCR0)', index === 0, shown('ECX', index))) return checks.fault('#GP', 0);
  const [eax, , , edx] = cpuidEntry(cpu.profile, 0xd, 0);
  const supported = (BigInt(edx >>> 0) << 32n) | BigInt(eax >>> 0) | XCR0_X87;
  if (!checks.require('every bit is a state that CPUID leaf 0Dh lists', (value & ~supported) === 0n, xcr0))
    return checks.fault('#GP', 0);
  if (!checks.require('bit 0 (x87) = 1', (value & XCR0_X87) !== 0n, xcr0)) return checks.fault('#GP', 0);
  const avxIsFine = (value & XCR0_AVX) === 0n || (value & XCR0_SSE) !== 0n;
  if (!checks.require('AVX state only with SSE state', avxIsFine, xcr0)) return checks.fault('#GP', 0);
  cpu.registers.set('XCR0', value);
  return undefined;
}

/** Types: 0 one address in one address space, 1 one address space, 2 everything, 3 everything that is not global. */
export function invalidatePcid(cpu: Processor, type: bigint, descriptor: bigint, linear: bigint): Trouble | undefined {
  const checks = new Checklist('SDM vol. 2, "INVPCID—Invalidate Process-Context Identifier"');
  const fine =
    checks.require('the type is 0 to 3', type <= 3n, shown('type', type)) &&
    checks.require('bits 63:12 of the descriptor = 0', descriptor >> 12n === 0n, shown('descriptor', descriptor)) &&
    checks.require(
      'PCID = 0 where CR4.PCIDE = 0 (types 0 and 1)',
      type > 1n || descriptor === 0n || (low(cpu.registers, CR4) & CR4_PCIDE) !== 0,
      shown('PCID', descriptor),
    ) &&
    checks.require('the address is canonical (type 0)', type !== 0n || isCanonical(linear), shown('address', linear));
  if (!fine) return checks.fault('#GP', 0);
  const pcid = Number(descriptor & 0xfffn);
  const isCurrent = BigInt(pcid) === spaceOf(cpu);
  if (type === 0n && isCurrent) cpu.tlb.flushPage(linear);
  else if (type === 0n) cpu.tlb.flushPageOfSpace(pcid, linear);
  else if (type === 1n && isCurrent) forgetCurrentSpace(cpu, pcid);
  else if (type === 1n) cpu.tlb.flushSpace(pcid);
  else if (type === 2n) cpu.tlb.flushAll();
  else cpu.tlb.flushNonGlobal();
  // Whatever was forgotten, the current address space has its PCID still.
  if (type >= 2n && hasPcids(cpu)) cpu.tlb.enterSpace(Number(spaceOf(cpu)), 'kept');
  return undefined;
}

const hasPcids = (cpu: Processor): boolean => (low(cpu.registers, CR4) & CR4_PCIDE) !== 0;
/** The PCID in CR3; 0 without CR4.PCIDE. */
const spaceOf = (cpu: Processor): bigint => (hasPcids(cpu) ? (cpu.registers.cells[CR3] ?? 0n) & 0xfffn : 0n);

function forgetCurrentSpace(cpu: Processor, pcid: number): void {
  if (hasPcids(cpu)) cpu.tlb.enterSpace(pcid, 'forgotten');
  else cpu.tlb.flushNonGlobal();
}

/** No profile announces performance counters (CPUID leaf 0Ah), so every index is one that does not exist. */
export function readPerformanceCounter(index: number): Trouble {
  const checks = new Checklist('SDM vol. 2, "RDPMC—Read Performance-Monitoring Counters"');
  checks.require('ECX names a performance counter that CPUID announces', false, shown('ECX', index));
  return checks.fault('#GP', 0);
}
