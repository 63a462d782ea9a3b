// The MSRs of SVM. VM_CR can forbid EFER.SVME (a firmware's switch); VM_HSAVE_PA names the page where VMRUN saves the host.
// APM vol. 2, "SVM Related MSRs":
//
//   VM_CR   0 DPD · 1 R_INIT · 2 DIS_A20M · 3 LOCK · 4 SVMDIS

import type {Core} from '../cpu/core.js';
import {Checklist, shown} from '../cpu/faults.js';
import type {RegisterFile} from '../cpu/register-file.js';
import type {Trouble} from '../cpu/trouble.js';

export const EFER_SVME = 1 << 12;
const LOCK = 1n << 3n;
const SVMDIS = 1n << 4n;
const KNOWN = 0x1fn;
const SOURCE = 'APM vol. 2, "SVM Related MSRs"';

/** EFER.SVME where it may be set: the bit is reserved while VM_CR.SVMDIS is 1. */
export const svmEnableBit = (registers: RegisterFile): number =>
  (registers.get('VM_CR') & SVMDIS) === 0n ? EFER_SVME : 0;

/** Once locked, SVMDIS and the lock itself keep their values. */
export function writeVmCr(core: Core, value: bigint): Trouble | undefined {
  const checks = new Checklist(SOURCE);
  const r = core.registers;
  if (!checks.require('reserved bits of VM_CR = 0', (value & ~KNOWN) === 0n, shown('VM_CR', value)))
    return checks.fault('#GP', 0);
  const running = (r.get('EFER') & BigInt(EFER_SVME)) !== 0n;
  if (
    !checks.require(
      'SVMDIS is not set while EFER.SVME = 1',
      !(running && (value & SVMDIS) !== 0n),
      shown('VM_CR', value),
    )
  )
    return checks.fault('#GP', 0);
  const old = r.get('VM_CR');
  const kept = LOCK | SVMDIS;
  r.set('VM_CR', (old & LOCK) === 0n ? value : (value & ~kept) | (old & kept));
  return undefined;
}

export function writeVmHsavePa(core: Core, value: bigint): Trouble | undefined {
  const checks = new Checklist(SOURCE);
  const width = core.profile.physicalAddressBits;
  const fits = (value & 0xfffn) === 0n && value >> BigInt(width) === 0n;
  const rule = `the address is aligned to 4 KiB and has at most ${width} bits`;
  if (!checks.require(rule, fits, shown('VM_HSAVE_PA', value))) return checks.fault('#GP', 0);
  core.registers.set('VM_HSAVE_PA', value);
  return undefined;
}
