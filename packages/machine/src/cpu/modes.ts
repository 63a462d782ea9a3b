// Which mode the processor is in, by CR0, EFER, RFLAGS.VM and the code segment.
// SDM vol. 3A, "Modes of Operation".

import type {CodeSize} from '@hyperscope/isa';
import type {Mode} from '../observer.js';
import type {RegisterFile} from './register-file.js';
import {CPL, CR0, CR4, EFER, RFLAGS, SEGMENT} from './cell-indexes.js';

export const CR0_PE = 1;
export const CR0_EM = 1 << 2;
export const CR0_TS = 1 << 3;
export const CR0_WP = 1 << 16;
export const CR0_AM = 1 << 18;
export const CR0_NW = 1 << 29;
export const CR0_CD = 1 << 30;
export const CR0_PG = 0x8000_0000;
export const CR4_TSD = 1 << 2;
export const CR4_DE = 1 << 3;
export const CR4_MCE = 1 << 6;
export const CR4_VME = 1;
export const CR4_PVI = 1 << 1;
export const CR4_PSE = 1 << 4;
export const CR4_PAE = 1 << 5;
export const CR4_PGE = 1 << 7;
export const CR4_OSFXSR = 1 << 9;
export const CR4_OSXMMEXCPT = 1 << 10;
export const CR4_UMIP = 1 << 11;
export const CR4_VMXE = 1 << 13;
export const CR4_PCIDE = 1 << 17;
export const CR4_SMEP = 1 << 20;
export const CR4_SMAP = 1 << 21;
export const EFER_SCE = 1;
export const EFER_LME = 1 << 8;
export const EFER_LMA = 1 << 10;
export const EFER_NXE = 1 << 11;
export const RFLAGS_TF = 1 << 8;
export const RFLAGS_IF = 1 << 9;
export const RFLAGS_NT = 1 << 14;
export const RFLAGS_RF = 1 << 16;
export const RFLAGS_VM = 1 << 17;
export const RFLAGS_AC = 1 << 18;
export const RFLAGS_VIF = 1 << 19;
export const RFLAGS_VIP = 1 << 20;

/** Access rights in the VMCS format, as the register cells hold them. */
export const RIGHTS_L = 1 << 13;
export const RIGHTS_DB = 1 << 14;
export const RIGHTS_G = 1 << 15;
export const RIGHTS_UNUSABLE = 1 << 16;

/** The low 32 bits of a cell, by its index. */
export function low(registers: RegisterFile, index: number): number {
  return registers.words[2 * index] ?? 0;
}

export const isLongMode = (registers: RegisterFile): boolean => (low(registers, EFER) & EFER_LMA) !== 0;
export const isVirtual8086 = (registers: RegisterFile): boolean => (low(registers, RFLAGS) & RFLAGS_VM) !== 0;
/** Real mode and virtual-8086 mode: segments are selector × 16 and have no descriptors. */
export const hasRealModeSegments = (registers: RegisterFile): boolean =>
  (low(registers, CR0) & CR0_PE) === 0 || isVirtual8086(registers);
export const is64Bit = (registers: RegisterFile): boolean =>
  isLongMode(registers) && (low(registers, SEGMENT.CS.attributes) & RIGHTS_L) !== 0;
export const currentPrivilegeLevel = (registers: RegisterFile): number => low(registers, CPL);
export const isPaging = (registers: RegisterFile): boolean => (low(registers, CR0) & CR0_PG) !== 0;

/** The size of addresses and operands that the code segment gives by default. */
export function codeSizeOf(registers: RegisterFile): CodeSize {
  const rights = low(registers, SEGMENT.CS.attributes);
  if ((rights & RIGHTS_L) !== 0 && isLongMode(registers)) return 64;
  return (rights & RIGHTS_DB) === 0 ? 16 : 32;
}

/** The width of the stack pointer: SS.B decides outside 64-bit mode. */
export function stackSizeOf(registers: RegisterFile): CodeSize {
  if (is64Bit(registers)) return 64;
  return (low(registers, SEGMENT.SS.attributes) & RIGHTS_DB) === 0 ? 16 : 32;
}

export function modeOf(registers: RegisterFile): Mode {
  if ((low(registers, CR0) & CR0_PE) === 0) return 'real';
  if (isLongMode(registers)) return is64Bit(registers) ? '64-bit' : 'compatibility';
  return isVirtual8086(registers) ? 'virtual-8086' : 'protected';
}

export type PagingMode = 'none' | '32-bit' | 'PAE' | '4-level';

export function pagingModeOf(registers: RegisterFile): PagingMode {
  if (!isPaging(registers)) return 'none';
  if ((low(registers, CR4) & CR4_PAE) === 0) return '32-bit';
  return isLongMode(registers) ? '4-level' : 'PAE';
}

/** Whether bits 63:47 of an address are all the same (48-bit linear addresses). */
export const isCanonical = (address: bigint): boolean => BigInt.asUintN(64, BigInt.asIntN(48, address)) === address;
