// IA32_APIC_BASE, and the MSRs that are registers of the local APIC: x2APIC's, and IA32_TSC_DEADLINE.
// SDM vol. 3A, "Local APIC Status and Location", "x2APIC State Transitions".

import {IA32_TSC_DEADLINE} from '../devices/local-apic.js';
import {apicModeOf, isApicTransition, isX2ApicMsr} from '../devices/x2apic.js';
import {Checklist, shown} from './faults.js';
import type {Processor} from './processor.js';
import type {Trouble} from './trouble.js';

/** The local APIC, as instructions of its processor reach it. */
export interface ApicMsrs {
  /** Undefined where there is nothing to read: #GP(0). */
  readMsr(index: number): bigint | undefined;
  writeMsr(index: number, value: bigint): 'written' | 'refused';
  /** IA32_APIC_BASE has changed. */
  baseChanged(before: bigint, after: bigint): void;
  /** The time-stamp counter was set. */
  timeStampChanged(): void;
}

/** Whether the processor announces the MSR; whether it can be reached now is the APIC's to say. */
export function isApicMsr({features}: Processor, index: number): boolean {
  return index === IA32_TSC_DEADLINE ? features.tscDeadline : features.x2apic && isX2ApicMsr(index);
}

export function writeToApic(cpu: Processor, index: number, value: bigint): Trouble | undefined {
  const checks = new Checklist('SDM vol. 3A, "Extended XAPIC (x2APIC)"');
  const isWritten = cpu.apic?.writeMsr(index, value) === 'written';
  const rule = 'the local APIC has this register in its present mode, it can be written, and reserved bits are 0';
  return checks.require(rule, isWritten, shown('ECX', index), shown('value', value))
    ? undefined
    : checks.fault('#GP', 0);
}

const EXTD = 0x400n;
/** EN and BSP. */
const FLAGS = 0x900n;

export function writeApicBase(cpu: Processor, value: bigint): Trouble | undefined {
  const checks = new Checklist('SDM vol. 3A, "Local APIC Status and Location"');
  const before = cpu.registers.get('APIC_BASE');
  const address = ((1n << BigInt(cpu.profile.physicalAddressBits)) - 1n) & ~0xfffn;
  const allowed = address | FLAGS | (cpu.features.x2apic ? EXTD : 0n);
  if (!checks.require('reserved bits of IA32_APIC_BASE = 0', (value & ~allowed) === 0n, shown('value', value)))
    return checks.fault('#GP', 0);
  const [from, to] = [apicModeOf(before), apicModeOf(value)];
  if (
    !checks.require(
      'the local APIC can go from its mode to this one',
      isApicTransition(from, to),
      ['from', from],
      ['to', to],
    )
  )
    return checks.fault('#GP', 0);
  cpu.registers.set('APIC_BASE', value);
  cpu.apic?.baseChanged(before, value);
  return undefined;
}
