// Where VMRUN leaves the host: the page that the MSR VM_HSAVE_PA names. Its layout belongs to the processor; ours is that of
// the state-save area, so that a reader who knows a VMCB can read it. APM vol. 2, "VM_HSAVE_PA MSR (C001_0117h)".

import type {Core} from '../cpu/core.js';
import {Vmcb} from './vmcb.js';

const SEGMENTS = ['ES', 'CS', 'SS', 'DS'] as const;
const SAVED = ['CR0', 'CR3', 'CR4', 'EFER', 'RFLAGS', 'RSP', 'RAX'] as const;
const CR0_PE = 1n;
const RFLAGS_VM = 1n << 17n;
const DR7_DISABLED = 0x400n;

const savePage = (core: Core): Vmcb => new Vmcb(core.memory, Number(core.registers.get('VM_HSAVE_PA')));

/** `rip`: the instruction after VMRUN, where the host goes on. */
export function saveHostState(core: Core, rip: bigint): void {
  const page = savePage(core);
  const r = core.registers;
  for (const name of SEGMENTS) page.saveSegment(r, name);
  page.saveTable(r, 'GDTR');
  page.saveTable(r, 'IDTR');
  for (const name of SAVED) page.set(name, r.get(name));
  page.set('G_PAT', r.get('PAT'));
  page.set('RIP', rip);
}

/** Always at CPL 0, in protected mode, with breakpoints off. */
export function loadHostState(core: Core): void {
  const page = savePage(core);
  const r = core.registers;
  for (const name of SEGMENTS) page.loadSegment(r, name);
  page.loadTable(r, 'GDTR');
  page.loadTable(r, 'IDTR');
  for (const name of SAVED) r.set(name, page.get(name));
  r.set('CR0', r.get('CR0') | CR0_PE);
  r.set('RFLAGS', r.get('RFLAGS') & ~RFLAGS_VM);
  r.set('PAT', page.get('G_PAT'));
  r.set('DR7', DR7_DISABLED);
  r.set('RIP', page.get('RIP'));
  r.set('CPL', 0n);
  r.set('INTERRUPT_SHADOW', 0n);
  r.set('ACTIVITY', 0n);
}

/** The host's RFLAGS.IF while a guest runs: what masks physical interrupts under V_INTR_MASKING. */
export const hostInterruptFlag = (core: Core): boolean => savePage(core).bit('RFLAGS', 9);
/** The paging mode of the host is that of the nested tables. */
export function hostPaging(core: Core): {readonly cr0: bigint; readonly cr4: bigint; readonly efer: bigint} {
  const page = savePage(core);
  return {cr0: page.get('CR0'), cr4: page.get('CR4'), efer: page.get('EFER')};
}
