// The memory-type range registers: kept and checked, as firmware and kernels expect. No cache is modelled, so they have no
// effect. Eight variable ranges, eleven fixed ones. SDM vol. 3A, "Memory Type Range Registers (MTRRs)".
//
//   IA32_MTRRCAP         7:0 VCNT   8 FIX   10 WC           IA32_MTRR_DEF_TYPE   7:0 type   10 FE   11 E
//   IA32_MTRR_PHYSBASEn  7:0 type   M-1:12 base             IA32_MTRR_PHYSMASKn  11 V   M-1:12 mask     (M: MAXPHYADDR)

import type {Bank, Observer} from '../observer.js';
import {Checklist, shown} from './faults.js';
import type {Fault, Trouble} from './trouble.js';

/** IA32_MTRRCAP. */
export const MTRR_CAPABILITIES_MSR = 0xfe;
const DEFAULT_TYPE = 0x2ff,
  FIRST_VARIABLE = 0x200;
const VARIABLE_RANGES = 8;
const FIXED: readonly number[] = [0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f];
/** Uncacheable, write combining, write-through, write-protected, write-back. */
const TYPES: ReadonlySet<bigint> = new Set([0n, 1n, 4n, 5n, 6n]);
const SOURCE = 'SDM vol. 3A, "Memory Type Range Registers (MTRRs)"';

/** Eight variable ranges, fixed ones, write combining. */
export const MTRR_CAPABILITIES = BigInt(VARIABLE_RANGES) | (1n << 8n) | (1n << 10n);

/** The MSRs that can be written, in the order of the bank. */
export const MTRR_MSRS: readonly number[] = [
  ...Array.from({length: 2 * VARIABLE_RANGES}, (_, index) => FIRST_VARIABLE + index),
  ...FIXED,
  DEFAULT_TYPE,
];

const isMask = (msr: number): boolean => msr < FIRST_VARIABLE + 2 * VARIABLE_RANGES && msr % 2 === 1;

export class MemoryTypeRanges {
  readonly #values = new BigUint64Array(MTRR_MSRS.length);
  readonly bank: Bank = {name: 'mtrrs', bytes: new Uint8Array(this.#values.buffer)};
  observer: Observer | undefined;
  readonly #physicalAddressBits: number;

  constructor(physicalAddressBits: number) {
    this.#physicalAddressBits = physicalAddressBits;
  }

  /** The value of an MSR; undefined where the number is not an MTRR's. */
  read(msr: number): bigint | undefined {
    if (msr === MTRR_CAPABILITIES_MSR) return MTRR_CAPABILITIES;
    const index = MTRR_MSRS.indexOf(msr);
    return index < 0 ? undefined : (this.#values[index] ?? 0n);
  }

  /** 'unknown' where the number is not that of an MTRR that can be written. */
  write(msr: number, value: bigint): Trouble | 'unknown' | undefined {
    const index = MTRR_MSRS.indexOf(msr);
    if (index < 0) return 'unknown';
    const refused = memoryTypeRangeFault(msr, value, this.#physicalAddressBits);
    if (refused !== undefined) return refused;
    this.#set(index, value);
    return undefined;
  }

  /** RESET clears V of every variable range, and E. SDM vol. 3A, "MTRR Initialization". */
  reset(): void {
    for (const [index, msr] of MTRR_MSRS.entries()) {
      if (msr === DEFAULT_TYPE || isMask(msr)) this.#set(index, (this.#values[index] ?? 0n) & ~(1n << 11n));
    }
  }

  #set(index: number, value: bigint): void {
    this.observer?.willWrite('mtrrs', index * 8, 8);
    this.#values[index] = value;
  }
}

/** #GP(0) where one of MTRR_MSRS cannot hold the value: reserved bits, or a memory type that does not exist. */
export function memoryTypeRangeFault(msr: number, value: bigint, physicalAddressBits: number): Fault | undefined {
  const checks = new Checklist(SOURCE);
  const reserved = value & reservedIn(msr, physicalAddressBits);
  if (
    !checks.require('reserved bits = 0', reserved === 0n, shown('value', value), shown('reserved bits set', reserved))
  )
    return checks.fault('#GP', 0);
  const types = typesIn(msr, value);
  const known = types.every(type => TYPES.has(type));
  return checks.require('every type is 0, 1, 4, 5 or 6', known, shown('value', value))
    ? undefined
    : checks.fault('#GP', 0);
}

function reservedIn(msr: number, physicalAddressBits: number): bigint {
  const beyond = ((1n << 64n) - 1n) ^ ((1n << BigInt(physicalAddressBits)) - 1n);
  if (msr === DEFAULT_TYPE) return ~0xcffn & ((1n << 64n) - 1n);
  if (FIXED.includes(msr)) return 0n;
  return beyond | (msr % 2 === 0 ? 0xf00n : 0x7ffn);
}

/** One type in a base and in the default, eight in a fixed range, none in a mask. */
function typesIn(msr: number, value: bigint): readonly bigint[] {
  if (FIXED.includes(msr)) return Array.from({length: 8}, (_, index) => (value >> BigInt(8 * index)) & 0xffn);
  return msr === DEFAULT_TYPE || msr % 2 === 0 ? [value & 0xffn] : [];
}
