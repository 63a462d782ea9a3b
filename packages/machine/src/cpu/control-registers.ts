// Loading CR0, CR3, CR4 and CR8: the checks on the new value, the change of mode that it brings, the TLB it empties.
// SDM vol. 3A, "Control Registers", "Switching to Protected Mode", "Initializing IA-32e Mode".

import {CR0, CR3, CR4, EFER, SEGMENT, VMX_OPERATION} from './cell-indexes.js';
import {Checklist, shown} from './faults.js';
import {
  CR0_CD,
  CR0_NW,
  CR0_PE,
  CR0_PG,
  CR0_TS,
  CR0_WP,
  CR4_DE,
  CR4_MCE,
  CR4_OSFXSR,
  CR4_OSXMMEXCPT,
  CR4_PAE,
  CR4_PCIDE,
  CR4_PGE,
  CR4_PSE,
  CR4_SMAP,
  CR4_SMEP,
  CR4_TSD,
  CR4_UMIP,
  CR4_PVI,
  CR4_VME,
  CR4_VMXE,
  EFER_LMA,
  EFER_LME,
  RIGHTS_L,
  is64Bit,
  isLongMode,
  isPaging,
  low,
} from './modes.js';
import {isSince} from './features.js';
import type {ProcessorFeatures} from './features.js';
import type {Processor} from './processor.js';
import type {Trouble} from './trouble.js';
import {loadPdptes} from './page-directory-pointers.js';

const SOURCE = 'SDM vol. 2, "MOV—Move to/from Control Registers"';

/**
 * CR0 bits that exist: PE MP EM TS ET NE WP AM NW CD PG. Others are ignored in the low half, refused in the high one.
 * Before the 486 PE MP EM TS ET PG, and ET could be written.
 */
const CR0_DEFINED = 0xe005_003fn;
const CR0_386 = 0x8000_001fn;
const CR0_ET = 0x10n;

/** The whole new value. In VMX non-root operation host-owned bits keep what they are. */
export function loadCr0(cpu: Processor, wanted: bigint): Trouble | undefined {
  const asked = cpu.isGuest && cpu.unit?.writableCr0 !== undefined ? cpu.unit.writableCr0(cpu, wanted) : wanted;
  const value = isSince(cpu.profile, 'i486') ? asked : asked & CR0_386;
  const checks = new Checklist(SOURCE);
  const refused = checkCr0(cpu, value, checks);
  if (refused !== undefined) return refused;
  const old = cpu.registers.cells[CR0] ?? 0n;
  const next = isSince(cpu.profile, 'i486') ? (value & CR0_DEFINED) | CR0_ET : value;
  const startsPaging = (old & BigInt(CR0_PG)) === 0n && (next & BigInt(CR0_PG)) !== 0n;
  const changesCaches = ((old ^ next) & BigInt(CR0_CD | CR0_NW)) !== 0n;
  if ((startsPaging || (changesCaches && isPaging(cpu.registers))) && !entersLongMode(cpu)) {
    const bad = loadPdptes(cpu, cpu.registers.cells[CR3] ?? 0n, low(cpu.registers, CR4), checks);
    if (bad !== undefined) return bad;
  }
  cpu.registers.cells[CR0] = next;
  if (old !== next) cpu.emit({kind: 'control-register', register: 'CR0', from: old, to: next});
  if (((old ^ next) & BigInt(CR0_PG + CR0_WP + CR0_PE)) !== 0n) cpu.tlb.flushAll();
  updateLongModeActive(cpu);
  return undefined;
}

const entersLongMode = (cpu: Processor): boolean => (low(cpu.registers, EFER) & EFER_LME) !== 0;

function checkCr0(cpu: Processor, value: bigint, checks: Checklist): Trouble | undefined {
  const bits = Number(value & 0xffff_ffffn);
  const cr4 = low(cpu.registers, CR4);
  const cr0 = shown('CR0', value);
  const has = (mask: number): boolean => (bits & mask) !== 0;
  if (!checks.require('CR0[63:32] = 0', value >> 32n === 0n, cr0)) return checks.fault('#GP', 0);
  if (!checks.require('PG = 1 only with PE = 1', !has(CR0_PG) || has(CR0_PE), cr0)) return checks.fault('#GP', 0);
  if (!checks.require('NW = 1 only with CD = 1', !has(CR0_NW) || has(CR0_CD), cr0)) return checks.fault('#GP', 0);
  const required = inVmxOperation(cpu) ? (cpu.unit?.requiredCr0?.(cpu) ?? 0n) : 0n;
  if (
    !checks.require(
      'bits fixed to 1 in VMX operation stay 1',
      (value & required) === required,
      cr0,
      shown('required', required),
    )
  )
    return checks.fault('#GP', 0);
  if (!has(CR0_PG)) {
    if (
      !checks.require(
        'paging is not turned off in 64-bit mode',
        !is64Bit(cpu.registers) || !isPaging(cpu.registers),
        cr0,
      )
    )
      return checks.fault('#GP', 0);
    const pcide = (cr4 & CR4_PCIDE) !== 0;
    return checks.require('PG = 0 only with CR4.PCIDE = 0', !pcide, cr0) ? undefined : checks.fault('#GP', 0);
  }
  if (isPaging(cpu.registers) || !entersLongMode(cpu)) return undefined;
  if (!checks.require('CR4.PAE = 1 (EFER.LME = 1)', (cr4 & CR4_PAE) !== 0, shown('CR4', cr4)))
    return checks.fault('#GP', 0);
  const csIsLong = (low(cpu.registers, SEGMENT.CS.attributes) & RIGHTS_L) !== 0;
  return checks.require('CS.L = 0 while IA-32e mode is entered', !csIsLong) ? undefined : checks.fault('#GP', 0);
}

const inVmxOperation = (cpu: Processor): boolean => low(cpu.registers, VMX_OPERATION) !== 0;

/** LMA = LME and PG. SDM vol. 3A, "Initializing IA-32e Mode". */
export function updateLongModeActive(cpu: Processor): void {
  const old = cpu.registers.cells[EFER] ?? 0n;
  const active = isPaging(cpu.registers) && (old & BigInt(EFER_LME)) !== 0n;
  const next = active ? old | BigInt(EFER_LMA) : old & ~BigInt(EFER_LMA);
  if (next === old) return;
  cpu.registers.cells[EFER] = next;
  cpu.emit({kind: 'control-register', register: 'EFER', from: old, to: next});
}

export function loadCr3(cpu: Processor, wanted: bigint): Trouble | undefined {
  const checks = new Checklist(SOURCE);
  const hasPcids = (low(cpu.registers, CR4) & CR4_PCIDE) !== 0;
  const keeps = hasPcids && wanted >> 63n === 1n;
  const value = keeps ? wanted & ~(1n << 63n) : wanted;
  if (isLongMode(cpu.registers)) {
    const beyond = value >> BigInt(cpu.profile.physicalAddressBits);
    if (
      !checks.require('CR3 bits beyond MAXPHYADDR = 0', beyond === 0n, shown('CR3', value), [
        'MAXPHYADDR',
        String(cpu.profile.physicalAddressBits),
      ])
    )
      return checks.fault('#GP', 0);
  } else if (isPaging(cpu.registers)) {
    const bad = loadPdptes(cpu, value, low(cpu.registers, CR4), checks);
    if (bad !== undefined) return bad;
  }
  const old = cpu.registers.cells[CR3] ?? 0n;
  cpu.registers.cells[CR3] = value;
  cpu.emit({kind: 'control-register', register: 'CR3', from: old, to: value});
  if (hasPcids) cpu.tlb.enterSpace(Number(value & 0xfffn), keeps ? 'kept' : 'forgotten');
  else cpu.tlb.flushNonGlobal();
  return undefined;
}

/** CR4 bits that exist on a processor with these features; VMXE only with a VMX unit. */
export function supportedCr4(f: ProcessorFeatures, unit: 'with VMX' | 'without VMX'): bigint {
  // PCE
  const always = 0x100n;
  const optional: readonly (readonly [boolean, number])[] = [
    [f.vme, CR4_VME | CR4_PVI],
    [f.tsc, CR4_TSD],
    [f.de, CR4_DE],
    [f.pse, CR4_PSE],
    [f.pae, CR4_PAE],
    [f.mce, CR4_MCE],
    [f.pge, CR4_PGE],
    [f.vmx && unit === 'with VMX', CR4_VMXE],
    [f.fxsr, CR4_OSFXSR],
    [f.sse, CR4_OSXMMEXCPT],
    [f.umip, CR4_UMIP],
    [f.fsgsbase, 1 << 16],
    [f.xsave, 1 << 18],
    [f.pcid, CR4_PCIDE],
    [f.smep, CR4_SMEP],
    [f.smap, CR4_SMAP],
  ];
  return optional.reduce((mask, [has, bit]) => (has ? mask | BigInt(bit) : mask), always);
}

export function loadCr4(cpu: Processor, wanted: bigint): Trouble | undefined {
  const value = cpu.isGuest && cpu.unit?.writableCr4 !== undefined ? cpu.unit.writableCr4(cpu, wanted) : wanted;
  const checks = new Checklist(SOURCE);
  const cr4 = shown('CR4', value);
  const old = cpu.registers.cells[CR4] ?? 0n;
  const extra = value & ~supportedCr4(cpu.features, cpu.unit === undefined ? 'without VMX' : 'with VMX');
  if (!checks.require('reserved bits of CR4 = 0', extra === 0n, cr4, shown('reserved bits set', extra)))
    return checks.fault('#GP', 0);
  const keepsPae = !isLongMode(cpu.registers) || (value & BigInt(CR4_PAE)) !== 0n;
  if (!checks.require('PAE stays 1 in IA-32e mode', keepsPae, cr4)) return checks.fault('#GP', 0);
  const setsPcide = (value & ~old & BigInt(CR4_PCIDE)) !== 0n;
  const pcideIsFine = !setsPcide || (isLongMode(cpu.registers) && ((cpu.registers.cells[CR3] ?? 0n) & 0xfffn) === 0n);
  if (!checks.require('PCIDE is set only in IA-32e mode with CR3[11:0] = 0', pcideIsFine, cr4))
    return checks.fault('#GP', 0);
  const required = inVmxOperation(cpu) ? (cpu.unit?.requiredCr4?.(cpu) ?? BigInt(CR4_VMXE)) : 0n;
  if (
    !checks.require(
      'bits fixed to 1 in VMX operation stay 1',
      (value & required) === required,
      cr4,
      shown('required', required),
    )
  )
    return checks.fault('#GP', 0);
  const pagingBits = BigInt(CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCIDE | CR4_SMEP);
  const changed = (old ^ value) & pagingBits;
  if (changed !== 0n && isPaging(cpu.registers) && !isLongMode(cpu.registers)) {
    const bad = loadPdptes(cpu, cpu.registers.cells[CR3] ?? 0n, Number(value), checks);
    if (bad !== undefined) return bad;
  }
  cpu.registers.cells[CR4] = value;
  if (old !== value) cpu.emit({kind: 'control-register', register: 'CR4', from: old, to: value});
  if (changed !== 0n) cpu.tlb.flushAll();
  return undefined;
}

export function loadCr8(cpu: Processor, value: bigint): Trouble | undefined {
  const checks = new Checklist(SOURCE);
  if (!checks.require('CR8[63:4] = 0', value <= 0xfn, shown('CR8', value))) return checks.fault('#GP', 0);
  const taken = (cpu.isGuest ? cpu.unit?.writeTaskPriority?.(cpu, value) : undefined) ?? 'physical';
  if (taken === 'physical') cpu.registers.set('CR8', value);
  else if (taken !== 'virtual') cpu.stopped = {kind: 'vm-exit', exit: taken};
  return undefined;
}

/** LMSW: the low four bits of CR0, of which PE can be set and not cleared. */
export function loadMachineStatusWord(cpu: Processor, source: bigint): Trouble | undefined {
  const old = cpu.registers.cells[CR0] ?? 0n;
  return loadCr0(cpu, (old & ~0xen) | (source & 0xfn));
}

export function clearTaskSwitched(cpu: Processor): Trouble | undefined {
  return loadCr0(cpu, (cpu.registers.cells[CR0] ?? 0n) & ~BigInt(CR0_TS));
}
