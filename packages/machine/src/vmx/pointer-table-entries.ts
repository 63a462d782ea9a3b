// The PDPTE registers at the edges of a guest: with EPT they are fields of the VMCS, without it they are read at the new CR3.
// SDM vol. 3C, "Loading Page-Directory-Pointer-Table Entries", "Saving Non-Register State".

import {hpa} from '@hyperscope/base';
import type {Core} from '../cpu/core.js';
import {isLongMode, isPaging, low, CR4_PAE} from '../cpu/modes.js';
import {CR4} from '../cpu/cell-indexes.js';
import type {Controls} from './controls.js';

const REGISTERS = ['PDPTE0', 'PDPTE1', 'PDPTE2', 'PDPTE3'] as const;

const usesPae = (core: Core): boolean =>
  isPaging(core.registers) && !isLongMode(core.registers) && (low(core.registers, CR4) & CR4_PAE) !== 0;

/** After the guest's control registers are loaded; the checks of VM entry have seen the fields. */
export function loadGuestPdptes(core: Core, controls: Controls): void {
  if (!usesPae(core)) return;
  if (!controls.usesEpt) return loadPdptesFromMemory(core);
  for (const register of REGISTERS) core.registers.set(register, controls.vmcs.get(`GUEST_${register}`));
}

export function saveGuestPdptes(core: Core, controls: Controls): void {
  if (!usesPae(core) || !controls.usesEpt) return;
  for (const register of REGISTERS) controls.vmcs.set(`GUEST_${register}`, core.registers.get(register));
}

/** The host's after a VM exit, and those of a guest without EPT. */
export function loadPdptesFromMemory(core: Core): void {
  if (!usesPae(core)) return;
  const table = core.registers.number('CR3') - (core.registers.number('CR3') % 32);
  for (const [index, register] of REGISTERS.entries())
    core.registers.set(register, core.memory.read(hpa(table + 8 * index), 8));
}
