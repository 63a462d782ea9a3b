// A VMCS as the rule table sees it: with the controls' names, and what the capability MSRs announce.

import type {VmcsFieldName} from '@hyperscope/isa';
import type {BlockFacts} from './block-facts.js';

export interface VmcsFacts extends BlockFacts<VmcsFieldName> {
  /** A capability MSR, 480h to 491h; 0 where it does not exist. */
  readonly msr: (index: number) => bigint;
  readonly vmcsAddress: bigint;
}

/** A bit of a control word; secondary controls count as 0 unless they are activated (primary bit 31). */
export const pin = (f: VmcsFacts, bit: number): boolean => f.bit('PIN_BASED_VM_EXECUTION_CONTROLS', bit);
export const primary = (f: VmcsFacts, bit: number): boolean =>
  f.bit('PRIMARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS', bit);
export const secondary = (f: VmcsFacts, bit: number): boolean =>
  primary(f, 31) && f.bit('SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS', bit);
export const exit = (f: VmcsFacts, bit: number): boolean => f.bit('VM_EXIT_CONTROLS', bit);
export const entry = (f: VmcsFacts, bit: number): boolean => f.bit('VM_ENTRY_CONTROLS', bit);

export const hasEpt = (f: VmcsFacts): boolean => secondary(f, 1);
export const isUnrestricted = (f: VmcsFacts): boolean => secondary(f, 7);
export const isLongGuest = (f: VmcsFacts): boolean => entry(f, 9);
export const isVirtual8086 = (f: VmcsFacts): boolean => f.bit('GUEST_RFLAGS', 17);

export const fits = (f: VmcsFacts, address: bigint): boolean => address < 1n << BigInt(f.physicalAddressBits);
export const isPage = (f: VmcsFacts, address: bigint): boolean => address % 4096n === 0n && fits(f, address);

/** The event to be injected; undefined for none. */
export function injected(f: VmcsFacts): {readonly type: number; readonly vector: number} | undefined {
  const field = 'VM_ENTRY_INTERRUPTION_INFORMATION';
  if (!f.bit(field, 31)) return undefined;
  return {type: Number(f.bits(field, 10, 8)), vector: Number(f.bits(field, 7, 0))};
}
