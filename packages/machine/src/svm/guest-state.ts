// What VMRUN loads from the state-save area and #VMEXIT puts back. Half of the registers are not in it: FS, GS, LDTR, TR and
// the system-call MSRs are moved by VMLOAD and VMSAVE, everything but RAX and RSP by software.
// APM vol. 2, "VMRUN", "#VMEXIT".

import type {Core} from '../cpu/core.js';
import type {SvmControls} from './controls.js';
import type {Vmcb} from './vmcb.js';

const SWITCHED_SEGMENTS = ['ES', 'CS', 'SS', 'DS'] as const;
const RFLAGS_FIXED = 2n;
const DR6_FIXED = 0xffff_0ff0n;
const DR7_FIXED = 0x400n;
export const EFER_LME = 1n << 8n;
export const EFER_LMA = 1n << 10n;
export const CR0_PG = 1n << 31n;
const DPL = 0x60n;

export function loadGuestState(core: Core, {vmcb, nestedPaging}: SvmControls): void {
  const r = core.registers;
  for (const name of SWITCHED_SEGMENTS) vmcb.loadSegment(r, name);
  vmcb.loadTable(r, 'GDTR');
  vmcb.loadTable(r, 'IDTR');
  r.set('CR0', vmcb.get('CR0'));
  r.set('CR2', vmcb.get('CR2'));
  r.set('CR3', vmcb.get('CR3'));
  r.set('CR4', vmcb.get('CR4'));
  r.set('EFER', effectiveEfer(vmcb));
  r.set('DR6', vmcb.get('DR6') | DR6_FIXED);
  r.set('DR7', vmcb.get('DR7') | DR7_FIXED);
  if (nestedPaging) r.set('PAT', vmcb.get('G_PAT'));
  r.set('RFLAGS', vmcb.get('RFLAGS') | RFLAGS_FIXED);
  r.set('RIP', vmcb.get('RIP'));
  r.set('RSP', vmcb.get('RSP'));
  r.set('RAX', vmcb.get('RAX'));
  const cpl = vmcb.get('CPL') & 3n;
  r.set('CPL', cpl);
  // The stack segment's DPL is the CPL, whatever its attributes say.
  r.set('SS.attributes', (r.get('SS.attributes') & ~DPL) | (cpl << 5n));
  r.set('INTERRUPT_SHADOW', vmcb.get('INTERRUPT_SHADOW') & 1n);
  r.set('ACTIVITY', 0n);
}

/** LMA is not taken from the VMCB: it is LME and CR0.PG. */
function effectiveEfer(vmcb: Vmcb): bigint {
  const efer = vmcb.get('EFER');
  const long = (efer & EFER_LME) !== 0n && (vmcb.get('CR0') & CR0_PG) !== 0n;
  return long ? efer | EFER_LMA : efer & ~EFER_LMA;
}

/** `rip`: where the guest goes on. */
export function saveGuestState(
  core: Core,
  {vmcb, nestedPaging}: Pick<SvmControls, 'vmcb' | 'nestedPaging'>,
  rip: bigint,
): void {
  const r = core.registers;
  for (const name of SWITCHED_SEGMENTS) vmcb.saveSegment(r, name);
  vmcb.saveTable(r, 'GDTR');
  vmcb.saveTable(r, 'IDTR');
  for (const name of ['CR0', 'CR2', 'CR3', 'CR4', 'EFER', 'DR6', 'DR7', 'RFLAGS', 'RSP', 'RAX', 'CPL'] as const)
    vmcb.set(name, r.get(name));
  if (nestedPaging) vmcb.set('G_PAT', r.get('PAT'));
  vmcb.set('RIP', rip);
  vmcb.set('INTERRUPT_SHADOW', r.get('INTERRUPT_SHADOW') === 0n ? 0n : 1n);
}

const LOADED_SEGMENTS = ['FS', 'GS', 'LDTR', 'TR'] as const;
/** [cell, field] of what only VMLOAD and VMSAVE move. */
const LOADED_MSRS = [
  ['KERNEL_GS_BASE', 'KERNEL_GS_BASE'],
  ['STAR', 'STAR'],
  ['LSTAR', 'LSTAR'],
  ['CSTAR', 'CSTAR'],
  ['FMASK', 'SFMASK'],
  ['SYSENTER_CS', 'SYSENTER_CS'],
  ['SYSENTER_ESP', 'SYSENTER_ESP'],
  ['SYSENTER_EIP', 'SYSENTER_EIP'],
] as const;

export function vmloadState(core: Core, vmcb: Vmcb): void {
  for (const name of LOADED_SEGMENTS) vmcb.loadSegment(core.registers, name);
  for (const [cell, field] of LOADED_MSRS) core.registers.set(cell, vmcb.get(field));
}
export function vmsaveState(core: Core, vmcb: Vmcb): void {
  for (const name of LOADED_SEGMENTS) vmcb.saveSegment(core.registers, name);
  for (const [cell, field] of LOADED_MSRS) vmcb.set(field, core.registers.get(cell));
}
