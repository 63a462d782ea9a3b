// The MSR lists of a VMCS: 16 bytes an entry, 31:0 index, 63:32 reserved, 127:64 value.
// SDM vol. 3C, "Loading MSRs" (VM entries and exits), "Saving MSRs".

import {hpa} from '@hyperscope/base';
import type {Cell} from '@hyperscope/isa';
import type {Core} from '../cpu/core.js';
import {isPaging} from '../cpu/modes.js';
import {EFER_LMA, EFER_LME} from './control-register-rules.js';
import {validPat} from './pat.js';

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

const EFER_DEFINED = 0xd01n;
const CANONICAL: ReadonlySet<Cell> = new Set(['SYSENTER_ESP', 'SYSENTER_EIP', 'LSTAR', 'CSTAR', 'KERNEL_GS_BASE']);

/** Whether WRMSR at CPL 0 would take the value; and LME does not change while the context that is entered has paging on. */
function isLoadable(core: Core, cell: Cell, value: bigint): boolean {
  if (cell === 'PAT') return validPat(value);
  if (CANONICAL.has(cell)) return BigInt.asUintN(64, BigInt.asIntN(48, value)) === value;
  if (cell === 'FMASK' || cell === 'TSC_AUX') return value >> 32n === 0n;
  if (cell !== 'EFER') return true;
  const changesLme = ((value ^ core.registers.get('EFER')) & EFER_LME) !== 0n;
  return (value & ~EFER_DEFINED) === 0n && !(changesLme && isPaging(core.registers));
}

/** Loads a list. Gives the 1-based number of the first entry that cannot be loaded, or undefined. */
export function loadMsrList(core: Core, address: bigint, count: bigint): number | undefined {
  for (let index = 0; index < Number(count); index++) {
    const at = Number(address) + 16 * index;
    const word = core.memory.read(hpa(at), 8);
    const cell = LISTED.get(Number(word & 0xffff_ffffn));
    if (cell === undefined || word >> 32n !== 0n) return index + 1;
    const value = core.memory.read(hpa(at + 8), 8);
    if (!isLoadable(core, cell, value)) return index + 1;
    // LMA cannot be written: it stays what the entry or exit has made it.
    const lma = cell === 'EFER' ? core.registers.get('EFER') & EFER_LMA : undefined;
    core.registers.set(cell, lma === undefined ? value : (value & ~EFER_LMA) | lma);
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
