// The MSR lists of a VMCS: 16 bytes an entry, 31:0 index, 63:32 reserved, 127:64 value.
// SDM vol. 3C, "Loading MSRs" (VM entries and exits), "Saving MSRs".

import {hpa} from '@hyperscope/base';
import type {Cell} from '@hyperscope/isa';
import type {Core} from '../cpu/core.js';

/** MSRs that a list may name and that live in a cell. FS and GS base may not be in a list: the VMCS has fields for them. */
const LISTED: ReadonlyMap<number, Cell> = new Map<number, Cell>([
  [0x174, 'SYSENTER_CS'],
  [0x175, 'SYSENTER_ESP'],
  [0x176, 'SYSENTER_EIP'],
  [0x1d9, 'DEBUGCTL'],
  [0x277, 'PAT'],
  [0xc000_0080, 'EFER'],
  [0xc000_0081, 'STAR'],
  [0xc000_0082, 'LSTAR'],
  [0xc000_0083, 'CSTAR'],
  [0xc000_0084, 'FMASK'],
  [0xc000_0102, 'KERNEL_GS_BASE'],
  [0xc000_0103, 'TSC_AUX'],
]);

/** Loads a list. Gives the 1-based number of the first entry that cannot be loaded, or undefined. */
export function loadMsrList(core: Core, address: bigint, count: bigint): number | undefined {
  for (let index = 0; index < Number(count); index++) {
    const at = Number(address) + 16 * index;
    const word = core.memory.read(hpa(at), 8);
    const cell = LISTED.get(Number(word & 0xffff_ffffn));
    if (cell === undefined || word >> 32n !== 0n) return index + 1;
    core.registers.set(cell, core.memory.read(hpa(at + 8), 8));
  }
  return undefined;
}

/** Stores a list; the same result. */
export function storeMsrList(core: Core, address: bigint, count: bigint): number | undefined {
  for (let index = 0; index < Number(count); index++) {
    const at = Number(address) + 16 * index;
    const word = core.memory.read(hpa(at), 8);
    const cell = LISTED.get(Number(word & 0xffff_ffffn));
    if (cell === undefined || word >> 32n !== 0n) return index + 1;
    core.memory.write(hpa(at + 8), 8, core.registers.get(cell));
  }
  return undefined;
}
