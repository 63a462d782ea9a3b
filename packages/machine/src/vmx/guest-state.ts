// The guest-state area: what a VM entry loads into the processor and a VM exit puts back. General registers are not in
// it, nor CR2 or the SYSCALL MSRs: those a hypervisor switches by software. SDM vol. 3C, "Loading Guest State",
// "Saving Guest State".

import {DESCRIPTOR_REGISTERS} from '@hyperscope/isa';
import {SEGMENT} from '../cpu/cell-indexes.js';
import type {Core} from '../cpu/core.js';
import type {Controls} from './controls.js';
import {EFER_LMA, EFER_LME, keptCr0} from './control-register-rules.js';
import {SEGMENT_FIELDS, TABLE_FIELDS} from './segment-fields.js';

const RFLAGS_FIXED = 2n;
const ENTRY_IA32E = 1n << 9n;
const DPL = 0x60n;
const EVENT_VALID = 1n << 31n;
const EVENT_TYPE = 7n << 8n;
/** A pending MTF VM exit is no event that is vectored. */
const OTHER_EVENT = 7n << 8n;

/** Such an entry makes the processor active, whatever the field says. SDM vol. 3C, "Activity State" (of VM entries). */
const isVectoring = (information: bigint): boolean =>
  (information & EVENT_VALID) !== 0n && (information & EVENT_TYPE) !== OTHER_EVENT;

export function loadGuestState(core: Core, controls: Controls): void {
  const {vmcs} = controls;
  const r = core.registers;
  r.set('CR0', keptCr0(r.get('CR0'), vmcs.get('GUEST_CR0')));
  r.set('CR3', vmcs.get('GUEST_CR3'));
  r.set('CR4', vmcs.get('GUEST_CR4'));
  if (controls.entry('load debug controls')) {
    r.set('DR7', vmcs.get('GUEST_DR7'));
    r.set('DEBUGCTL', vmcs.get('GUEST_IA32_DEBUGCTL'));
  }
  loadGuestMsrs(core, controls);
  for (const name of DESCRIPTOR_REGISTERS) {
    const [fields, cells] = [SEGMENT_FIELDS[name], SEGMENT[name]];
    r.cells[cells.selector] = vmcs.get(fields.selector);
    r.cells[cells.base] = vmcs.get(fields.base);
    r.cells[cells.limit] = vmcs.get(fields.limit);
    r.cells[cells.attributes] = vmcs.get(fields.rights);
  }
  for (const table of TABLE_FIELDS) {
    r.cells[table.base] = vmcs.get(table.guestBase);
    r.cells[table.limit] = vmcs.get(table.guestLimit);
  }
  r.set('RSP', vmcs.get('GUEST_RSP'));
  r.set('RIP', vmcs.get('GUEST_RIP'));
  r.set('RFLAGS', vmcs.get('GUEST_RFLAGS'));
  // CPL has no field of its own: it is SS.DPL.
  r.set('CPL', (vmcs.get('GUEST_SS_ACCESS_RIGHTS') & DPL) >> 5n);
  const interruptibility = vmcs.get('GUEST_INTERRUPTIBILITY_STATE');
  r.set('INTERRUPT_SHADOW', interruptibility & 3n);
  r.set('NMI_BLOCKING', (interruptibility >> 3n) & 1n);
  r.set('ACTIVITY', isVectoring(vmcs.get('VM_ENTRY_INTERRUPTION_INFORMATION')) ? 0n : vmcs.get('GUEST_ACTIVITY_STATE'));
}

function loadGuestMsrs(core: Core, controls: Controls): void {
  const {vmcs} = controls;
  const r = core.registers;
  r.set('SYSENTER_CS', vmcs.get('GUEST_IA32_SYSENTER_CS'));
  r.set('SYSENTER_ESP', vmcs.get('GUEST_IA32_SYSENTER_ESP'));
  r.set('SYSENTER_EIP', vmcs.get('GUEST_IA32_SYSENTER_EIP'));
  if (controls.entry('load IA32_PAT')) r.set('PAT', vmcs.get('GUEST_IA32_PAT'));
  if (controls.entry('load IA32_EFER')) {
    r.set('EFER', vmcs.get('GUEST_IA32_EFER'));
    return;
  }
  const long = controls.entry('IA-32e mode guest') ? EFER_LMA | EFER_LME : 0n;
  const kept = vmcs.bit('GUEST_CR0', 31) ? ~(EFER_LMA | EFER_LME) : ~EFER_LMA;
  r.set('EFER', (r.get('EFER') & kept) | long);
}

/** `rip`: where the guest goes on; the exiting instruction itself for fault-like exits. */
export function saveGuestState(core: Core, controls: Controls, rip: bigint): void {
  const {vmcs} = controls;
  const r = core.registers;
  vmcs.set('GUEST_CR0', r.get('CR0'));
  vmcs.set('GUEST_CR3', r.get('CR3'));
  vmcs.set('GUEST_CR4', r.get('CR4'));
  if (controls.exit('save debug controls')) {
    vmcs.set('GUEST_DR7', r.get('DR7'));
    vmcs.set('GUEST_IA32_DEBUGCTL', r.get('DEBUGCTL'));
  }
  vmcs.set('GUEST_IA32_SYSENTER_CS', r.get('SYSENTER_CS'));
  vmcs.set('GUEST_IA32_SYSENTER_ESP', r.get('SYSENTER_ESP'));
  vmcs.set('GUEST_IA32_SYSENTER_EIP', r.get('SYSENTER_EIP'));
  if (controls.exit('save IA32_PAT')) vmcs.set('GUEST_IA32_PAT', r.get('PAT'));
  if (controls.exit('save IA32_EFER')) vmcs.set('GUEST_IA32_EFER', r.get('EFER'));
  saveGuestSegments(core, controls);
  vmcs.set('GUEST_RSP', r.get('RSP'));
  vmcs.set('GUEST_RIP', rip);
  vmcs.set('GUEST_RFLAGS', r.get('RFLAGS') | RFLAGS_FIXED);
  vmcs.set('GUEST_INTERRUPTIBILITY_STATE', (r.get('INTERRUPT_SHADOW') & 3n) | (r.get('NMI_BLOCKING') << 3n));
  vmcs.set('GUEST_ACTIVITY_STATE', r.get('ACTIVITY'));
  vmcs.set('GUEST_PENDING_DEBUG_EXCEPTIONS', 0n);
  // IA32_VMX_MISC[5]: the exit tells in the entry controls whether the guest had gone to long mode.
  const long = (r.get('EFER') & EFER_LMA) !== 0n;
  vmcs.set('VM_ENTRY_CONTROLS', long ? controls.entryWord | ENTRY_IA32E : controls.entryWord & ~ENTRY_IA32E);
}

function saveGuestSegments(core: Core, controls: Controls): void {
  const {vmcs} = controls;
  const r = core.registers;
  for (const name of DESCRIPTOR_REGISTERS) {
    const [fields, cells] = [SEGMENT_FIELDS[name], SEGMENT[name]];
    vmcs.set(fields.selector, r.cells[cells.selector] ?? 0n);
    vmcs.set(fields.base, r.cells[cells.base] ?? 0n);
    vmcs.set(fields.limit, r.cells[cells.limit] ?? 0n);
    vmcs.set(fields.rights, r.cells[cells.attributes] ?? 0n);
  }
  vmcs.set('GUEST_SS_ACCESS_RIGHTS', (r.get('SS.attributes') & ~DPL) | (r.get('CPL') << 5n));
  for (const table of TABLE_FIELDS) {
    vmcs.set(table.guestBase, r.cells[table.base] ?? 0n);
    vmcs.set(table.guestLimit, r.cells[table.limit] ?? 0n);
  }
}
