// LAR, LSL, VERR and VERW: what a program may learn of a descriptor without loading it. Whatever is wrong with the selector
// is an answer (ZF = 0), not a fault. SDM vol. 2, "LAR—Load Access Rights Byte", "LSL—Load Segment Limit", "VERR/VERW".

import {dplOf, isCodeSegment, isConforming, isNull, isReadable, isSystem, isWritableData} from './descriptor.js';
import {limitOf, readDescriptor, typeOf} from './descriptor.js';
import type {Descriptor} from './descriptor.js';
import {Checklist, isTrouble} from './faults.js';
import {isLongMode} from './modes.js';
import type {Processor} from './processor.js';
import type {Trouble} from './trouble.js';

/** Bit 32 of an answer: there is one. */
const VISIBLE = 1n << 32n;

/** System types that LAR and LSL know: LDT and TSS, and for LAR call and task gates; in IA-32e mode fewer exist. */
const WITH_RIGHTS = {legacy: [1, 2, 3, 4, 5, 9, 11, 12], long: [2, 9, 11, 12]} as const;
const WITH_LIMIT = {legacy: [1, 2, 3, 9, 11], long: [2, 9, 11]} as const;

export function readAccessRights(cpu: Processor, selector: number): bigint | Trouble {
  const d = visibleDescriptor(cpu, selector, WITH_RIGHTS);
  if (d === undefined || isTrouble(d)) return d ?? 0n;
  return ((d.raw >> 32n) & 0xff_ff00n) | VISIBLE;
}

export function readSegmentLimit(cpu: Processor, selector: number): bigint | Trouble {
  const d = visibleDescriptor(cpu, selector, WITH_LIMIT);
  if (d === undefined || isTrouble(d)) return d ?? 0n;
  return BigInt(limitOf(d)) | VISIBLE;
}

export function verifySegment(cpu: Processor, selector: number, access: 'read' | 'write'): bigint | Trouble {
  const d = visibleDescriptor(cpu, selector, {legacy: [], long: []});
  if (d === undefined || isTrouble(d)) return d ?? 0n;
  return (access === 'read' ? isReadable(d) : isWritableData(d)) ? 1n : 0n;
}

type SystemTypes = Readonly<Record<'legacy' | 'long', readonly number[]>>;

/** The descriptor, where its type and its privilege level let it be seen; page faults are faults all the same. */
function visibleDescriptor(cpu: Processor, selector: number, types: SystemTypes): Descriptor | Trouble | undefined {
  if (isNull(selector)) return undefined;
  const d = readDescriptor(cpu, selector, new Checklist('SDM vol. 3A, "Pointer Validation"'));
  if (isTrouble(d)) return d.kind === 'fault' && d.vector === GENERAL_PROTECTION ? undefined : d;
  if (isSystem(d) && !types[isLongMode(cpu.registers) ? 'long' : 'legacy'].includes(typeOf(d))) return undefined;
  const isFree = isCodeSegment(d) && isConforming(d);
  return isFree || Math.max(cpu.cpl, selector & 3) <= dplOf(d) ? d : undefined;
}

const GENERAL_PROTECTION = 13;
