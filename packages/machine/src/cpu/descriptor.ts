// Segment and gate descriptors: reading them from the GDT or LDT, and what their bits mean.
// SDM vol. 3A, "Segment Descriptors", "System Descriptor Types".
//
//   63        56 55 54 53 52  51    48 47 46 45 44 43  40 39        16 15         0
//   base 31:24   G  D  L  AVL lim19:16 P  DPL   S  type   base 23:0    limit 15:0

import type {RegisterFile, SegmentValues} from './register-file.js';
import type {Processor} from './processor.js';
import type {Trouble} from './trouble.js';
import {shown} from './faults.js';
import type {Checklist} from './faults.js';
import {RIGHTS_G, isLongMode} from './modes.js';

export interface Descriptor {
  readonly selector: number;
  /** Linear address of the descriptor itself, for the accessed and busy bits. */
  readonly address: bigint;
  readonly raw: bigint;
  /** The upper eight bytes of a 16-byte system descriptor; 0 otherwise. */
  readonly upper: bigint;
}

export const typeOf = (d: Descriptor): number => Number((d.raw >> 40n) & 0xfn);
export const isSystem = (d: Descriptor): boolean => ((d.raw >> 44n) & 1n) === 0n;
export const dplOf = (d: Descriptor): number => Number((d.raw >> 45n) & 3n);
export const isPresent = (d: Descriptor): boolean => ((d.raw >> 47n) & 1n) === 1n;
export const isCodeSegment = (d: Descriptor): boolean => !isSystem(d) && (typeOf(d) & 8) !== 0;
export const isConforming = (d: Descriptor): boolean => (typeOf(d) & 4) !== 0;
export const isReadable = (d: Descriptor): boolean => !isCodeSegment(d) || (typeOf(d) & 2) !== 0;
export const isWritableData = (d: Descriptor): boolean => !isSystem(d) && (typeOf(d) & 0xa) === 2;
export const isLongCode = (d: Descriptor): boolean => ((d.raw >> 53n) & 1n) === 1n;
export const isDefaultBig = (d: Descriptor): boolean => ((d.raw >> 54n) & 1n) === 1n;

/** The access rights in the VMCS format. */
const attributesOf = (d: Descriptor): number => Number((d.raw >> 40n) & 0xf0ffn);
function baseOf(d: Descriptor): bigint {
  const lower = ((d.raw >> 16n) & 0xff_ffffn) | ((d.raw >> 32n) & 0xff00_0000n);
  return lower | BigInt.asUintN(64, d.upper << 32n);
}
/** In bytes: the last valid offset. */
export function limitOf(d: Descriptor): number {
  const limit = Number((d.raw & 0xffffn) | ((d.raw >> 32n) & 0xf_0000n));
  return (attributesOf(d) & RIGHTS_G) === 0 ? limit : limit * 4096 + 4095;
}
/** What goes into a segment register with this descriptor; the accessed bit is set. */
export function loadedFrom(d: Descriptor, selector: number): SegmentValues {
  return {selector, base: baseOf(d), limit: limitOf(d), attributes: attributesOf(d) | (isSystem(d) ? 0 : 1)};
}

/** Gates: SDM vol. 3A, "Call Gates", "IDT Descriptors". */
export const gateSelector = (d: Descriptor): number => Number((d.raw >> 16n) & 0xffffn);
export const gateOffset = (d: Descriptor): bigint =>
  (d.raw & 0xffffn) | ((d.raw >> 32n) & 0xffff_0000n) | BigInt.asUintN(64, (d.upper & 0xffff_ffffn) << 32n);

export const isNull = (selector: number): boolean => (selector & 0xfffc) === 0;
/** The selector as an error code has it: RPL replaced by EXT and IDT, which are 0 here. */
export const selectorError = (selector: number): number => selector & 0xfffc;

interface Table {
  readonly name: 'GDT' | 'LDT';
  readonly base: bigint;
  readonly limit: number;
}

function tableOf(registers: RegisterFile, selector: number): Table {
  if ((selector & 4) === 0)
    return {name: 'GDT', base: registers.get('GDTR.base'), limit: registers.number('GDTR.limit')};
  const unusable = (registers.number('LDTR.attributes') & 0x1_0000) !== 0;
  return {name: 'LDT', base: registers.get('LDTR.base'), limit: unusable ? -1 : registers.number('LDTR.limit')};
}

/**
 * The descriptor that a selector names. Outside the table: the exception `beyond` with the selector as its error code.
 * In IA-32e mode the descriptor of an LDT, TSS or call gate has 16 bytes, read when `isSystem` says that it is one.
 */
export function readDescriptor(
  cpu: Processor,
  selector: number,
  checks: Checklist,
  beyond: '#GP' | '#TS' = '#GP',
): Descriptor | Trouble {
  const table = tableOf(cpu.registers, selector);
  const offset = selector & 0xfff8;
  const inside = checks.require(
    `the descriptor lies within the ${table.name}`,
    offset + 7 <= table.limit,
    shown('selector', selector),
    shown(`${table.name} limit`, Math.max(table.limit, 0)),
  );
  if (!inside) return checks.fault(beyond, selectorError(selector));
  const address = BigInt.asUintN(64, table.base + BigInt(offset));
  const raw = cpu.mmu.read(address, 8, 'implicit');
  if (typeof raw !== 'bigint') return raw;
  const descriptor: Descriptor = {selector, address, raw, upper: 0n};
  if (!isSystem(descriptor) || !isLongMode(cpu.registers)) return descriptor;
  return readUpperHalf(cpu, descriptor, table, checks, beyond);
}

function readUpperHalf(
  cpu: Processor,
  descriptor: Descriptor,
  table: Table,
  checks: Checklist,
  beyond: '#GP' | '#TS',
): Descriptor | Trouble {
  const {selector} = descriptor;
  const inside = checks.require(
    `all 16 bytes of the descriptor lie within the ${table.name}`,
    (selector & 0xfff8) + 15 <= table.limit,
    shown('selector', selector),
    shown(`${table.name} limit`, table.limit),
  );
  if (!inside) return checks.fault(beyond, selectorError(selector));
  const upper = cpu.mmu.read(BigInt.asUintN(64, descriptor.address + 8n), 8, 'implicit');
  return typeof upper === 'bigint' ? {...descriptor, upper} : upper;
}

/** Sets the accessed bit in the descriptor table, where it is not set yet. */
export function markAccessed(cpu: Processor, d: Descriptor): Trouble | undefined {
  if ((typeOf(d) & 1) === 1) return undefined;
  return cpu.mmu.write(BigInt.asUintN(64, d.address + 5n), 1, ((d.raw >> 40n) & 0xffn) | 1n, 'implicit');
}
