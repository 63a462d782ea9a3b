// The model-specific registers that exist, what their reserved bits are, and what writing them changes.
// SDM vol. 4, "Model-Specific Registers (MSRs)"; SDM vol. 2, "WRMSR—Write to Model Specific Register".

import {msrAt} from '@hyperscope/isa';
import type {Cell, MsrName} from '@hyperscope/isa';
import {EFER, TSC} from './cell-indexes.js';
import {isApicMsr, writeApicBase, writeToApic} from './apic-msrs.js';
import {updateLongModeActive} from './control-registers.js';
import {Checklist, shown} from './faults.js';
import {existingMsr} from './msr-existence.js';
import {EFER_LMA, EFER_LME, EFER_NXE, EFER_SCE, isCanonical, isPaging} from './modes.js';
import type {Processor} from './processor.js';
import type {Trouble} from './trouble.js';
import {svmEnableBit, writeVmCr, writeVmHsavePa} from '../svm/msrs.js';

interface MsrRule {
  readonly cell: Cell;
  /** Bits that may be 1. */
  readonly writable: bigint;
  /** The value is an address and must be canonical. */
  readonly isAddress: boolean;
}

const plain = (cell: Cell, writable = 0xffff_ffff_ffff_ffffn): MsrRule => ({cell, writable, isAddress: false});
const address = (cell: Cell): MsrRule => ({cell, writable: 0xffff_ffff_ffff_ffffn, isAddress: true});

const RULES: ReadonlyMap<MsrName, MsrRule> = new Map<MsrName, MsrRule>([
  ['IA32_TIME_STAMP_COUNTER', plain('TSC')],
  ['IA32_SYSENTER_CS', plain('SYSENTER_CS', 0xffff_ffffn)],
  ['IA32_SYSENTER_ESP', address('SYSENTER_ESP')],
  ['IA32_SYSENTER_EIP', address('SYSENTER_EIP')],
  ['IA32_MISC_ENABLE', plain('MISC_ENABLE')],
  ['IA32_DEBUGCTL', plain('DEBUGCTL', 0x1_ffc3n)],
  ['IA32_STAR', plain('STAR')],
  ['IA32_LSTAR', address('LSTAR')],
  ['IA32_CSTAR', address('CSTAR')],
  ['IA32_FMASK', plain('FMASK', 0xffff_ffffn)],
  ['IA32_FS_BASE', address('FS.base')],
  ['IA32_GS_BASE', address('GS.base')],
  ['IA32_KERNEL_GS_BASE', address('KERNEL_GS_BASE')],
  ['IA32_TSC_AUX', plain('TSC_AUX', 0xffff_ffffn)],
]);

export function readMsr(cpu: Processor, index: number): bigint | Trouble {
  const known = existingMsr(index, cpu);
  const rule = known === undefined ? undefined : RULES.get(known);
  if (rule !== undefined) return cpu.registers.get(rule.cell);
  switch (known) {
    case 'IA32_EFER':
      return cpu.registers.cells[EFER] ?? 0n;
    case 'IA32_PAT':
      return cpu.registers.get('PAT');
    case 'IA32_APIC_BASE':
      return cpu.registers.get('APIC_BASE');
    case 'IA32_FEATURE_CONTROL':
      if (cpu.features.vmx) return cpu.registers.get('FEATURE_CONTROL');
      break;
    case 'VM_CR':
    case 'VM_HSAVE_PA':
      if (cpu.features.svm) return cpu.registers.get(known);
      break;
    default:
  }
  const fromApic = isApicMsr(cpu, index) ? cpu.apic?.readMsr(index) : undefined;
  if (fromApic !== undefined) return fromApic;
  const fromUnit = index >= 0x480 && index <= 0x493 && cpu.features.vmx ? cpu.unit?.readMsr?.(cpu, index) : undefined;
  const fromRanges = cpu.features.mtrr ? cpu.memoryTypeRanges.read(index) : undefined;
  return (
    fromUnit ?? fromRanges ?? cpu.machineCheck.read(index) ?? unknown(index, 'RDMSR—Read From Model Specific Register')
  );
}

export function writeMsr(cpu: Processor, index: number, value: bigint): Trouble | undefined {
  const known = existingMsr(index, cpu);
  const rule = known === undefined ? undefined : RULES.get(known);
  if (rule !== undefined) return writePlain(cpu, rule, value);
  switch (known) {
    case 'IA32_EFER':
      return writeEfer(cpu, value);
    case 'IA32_PAT':
      return writePat(cpu, value);
    case 'IA32_APIC_BASE':
      return writeApicBase(cpu, value);
    case 'IA32_FEATURE_CONTROL':
      return writeFeatureControl(cpu, value);
    case 'VM_CR':
      if (cpu.features.svm) return writeVmCr(cpu, value);
      break;
    case 'VM_HSAVE_PA':
      if (cpu.features.svm) return writeVmHsavePa(cpu, value);
      break;
    default:
  }
  if (isApicMsr(cpu, index)) return writeToApic(cpu, index, value);
  const ranges = cpu.features.mtrr ? cpu.memoryTypeRanges.write(index, value) : 'unknown';
  const done = ranges === 'unknown' ? cpu.machineCheck.write(index, value) : ranges;
  return done === 'unknown' ? unknown(index, 'WRMSR—Write to Model Specific Register') : done;
}

function unknown(index: number, section: string): Trouble {
  const checks = new Checklist(`SDM vol. 2, "${section}"`);
  const name = msrAt(index)?.name ?? 'unknown';
  checks.require(
    'ECX names an MSR that this processor has (and that can be written, for WRMSR)',
    false,
    shown('ECX', index),
    ['name', name],
  );
  return checks.fault('#GP', 0);
}

function writePlain(cpu: Processor, rule: MsrRule, value: bigint): Trouble | undefined {
  const checks = new Checklist('SDM vol. 2, "WRMSR—Write to Model Specific Register"');
  if (!checks.require(`reserved bits of ${rule.cell} = 0`, (value & ~rule.writable) === 0n, shown('value', value)))
    return checks.fault('#GP', 0);
  if (
    !checks.require(
      `the address for ${rule.cell} is canonical`,
      !rule.isAddress || isCanonical(value),
      shown('value', value),
    )
  )
    return checks.fault('#GP', 0);
  if (rule.cell === 'TSC') {
    cpu.registers.cells[TSC] = value;
    cpu.apic?.timeStampChanged();
  } else cpu.registers.set(rule.cell, value);
  return undefined;
}

/** LMA is read-only; LME must not change while paging is on; NXE and SCE exist only where CPUID says so. */
function writeEfer(cpu: Processor, value: bigint): Trouble | undefined {
  const checks = new Checklist('SDM vol. 3A, "Extended Feature Enable Register"');
  const {features, registers} = cpu;
  const old = registers.cells[EFER] ?? 0n;
  const allowed =
    (features.syscall ? EFER_SCE : 0) |
    (features.svm ? svmEnableBit(registers) : 0) |
    (features.lm ? EFER_LME | EFER_LMA : 0) |
    (features.nx ? EFER_NXE : 0);
  const extra = value & ~BigInt(allowed);
  if (
    !checks.require('reserved bits of EFER = 0', extra === 0n, shown('EFER', value), shown('reserved bits set', extra))
  )
    return checks.fault('#GP', 0);
  const changesLme = ((old ^ value) & BigInt(EFER_LME)) !== 0n;
  if (
    !checks.require('LME does not change while CR0.PG = 1', !(changesLme && isPaging(registers)), shown('EFER', value))
  )
    return checks.fault('#GP', 0);
  const next = (value & ~BigInt(EFER_LMA)) | (old & BigInt(EFER_LMA));
  registers.cells[EFER] = next;
  if (next !== old) {
    cpu.emit({kind: 'control-register', register: 'EFER', from: old, to: next});
    if (((old ^ next) & BigInt(EFER_NXE)) !== 0n) cpu.tlb.flushAll();
  }
  updateLongModeActive(cpu);
  return undefined;
}

/** Eight memory types of three bits each, in bytes: 0 UC, 1 WC, 4 WT, 5 WP, 6 WB, 7 UC-. */
function writePat(cpu: Processor, value: bigint): Trouble | undefined {
  const checks = new Checklist('SDM vol. 3A, "Page Attribute Table (PAT)"');
  for (let index = 0n; index < 8n; index++) {
    const type = Number((value >> (index * 8n)) & 0xffn);
    if (!checks.require(`PA${index} is a memory type`, [0, 1, 4, 5, 6, 7].includes(type), shown(`PA${index}`, type)))
      return checks.fault('#GP', 0);
  }
  cpu.registers.set('PAT', value);
  return undefined;
}

function writeFeatureControl(cpu: Processor, value: bigint): Trouble | undefined {
  const checks = new Checklist('SDM vol. 3C, "Enabling and Entering VMX Operation"');
  if (!checks.require('the processor has VMX', cpu.features.vmx)) return checks.fault('#GP', 0);
  const locked = (cpu.registers.get('FEATURE_CONTROL') & 1n) === 1n;
  if (
    !checks.require(
      'IA32_FEATURE_CONTROL is not locked',
      !locked,
      shown('IA32_FEATURE_CONTROL', cpu.registers.get('FEATURE_CONTROL')),
    )
  )
    return checks.fault('#GP', 0);
  if (!checks.require('reserved bits = 0', (value & ~7n) === 0n, shown('value', value))) return checks.fault('#GP', 0);
  cpu.registers.set('FEATURE_CONTROL', value);
  return undefined;
}
