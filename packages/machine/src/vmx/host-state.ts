// The host-state area: what a VM exit loads. Much of the host's state is fixed by the manual and has no field: flat
// segments, RFLAGS of 2 (so interrupts are off), table limits. SDM vol. 3C, "Loading Host State".

import type {DescriptorRegister} from '@hyperscope/isa';
import {SEGMENT} from '../cpu/cell-indexes.js';
import type {Core} from '../cpu/core.js';
import type {Controls} from './controls.js';
import {EFER_LMA, EFER_LME, keptCr0} from './control-register-rules.js';
import {TABLE_FIELDS} from './segment-fields.js';

const CODE_64 = 0xa09bn;
const CODE_32 = 0xc09bn;
const FLAT_DATA = 0xc093n;
const BUSY_TSS = 0x8bn;
const UNUSABLE = 0x1_0000n;
const TSS_LIMIT = 0x67n;
const TABLE_LIMIT = 0xffffn;
const DR7_RESET = 0x400n;
const DATA_SEGMENTS = [
  ['SS', 'HOST_SS_SELECTOR', undefined],
  ['DS', 'HOST_DS_SELECTOR', undefined],
  ['ES', 'HOST_ES_SELECTOR', undefined],
  ['FS', 'HOST_FS_SELECTOR', 'HOST_FS_BASE'],
  ['GS', 'HOST_GS_SELECTOR', 'HOST_GS_BASE'],
] as const;

export function loadHostState(core: Core, controls: Controls): void {
  const {vmcs} = controls;
  const r = core.registers;
  r.set('CR0', keptCr0(r.get('CR0'), vmcs.get('HOST_CR0')));
  r.set('CR3', vmcs.get('HOST_CR3'));
  r.set('CR4', vmcs.get('HOST_CR4'));
  r.set('DR7', DR7_RESET);
  r.set('DEBUGCTL', 0n);
  r.set('SYSENTER_CS', vmcs.get('HOST_IA32_SYSENTER_CS'));
  r.set('SYSENTER_ESP', vmcs.get('HOST_IA32_SYSENTER_ESP'));
  r.set('SYSENTER_EIP', vmcs.get('HOST_IA32_SYSENTER_EIP'));
  if (controls.exit('load IA32_PAT')) r.set('PAT', vmcs.get('HOST_IA32_PAT'));
  const host64 = controls.exit('host address-space size');
  if (controls.exit('load IA32_EFER')) r.set('EFER', vmcs.get('HOST_IA32_EFER'));
  else r.set('EFER', (r.get('EFER') & ~(EFER_LMA | EFER_LME)) | (host64 ? EFER_LMA | EFER_LME : 0n));
  loadHostSegments(core, controls, host64 ? CODE_64 : CODE_32);
  r.set('RSP', vmcs.get('HOST_RSP'));
  r.set('RIP', vmcs.get('HOST_RIP'));
  r.set('RFLAGS', 2n);
  r.set('CPL', 0n);
  r.set('INTERRUPT_SHADOW', 0n);
  r.set('ACTIVITY', 0n);
}

function loadSegment(
  core: Core,
  name: DescriptorRegister,
  selector: bigint,
  base: bigint,
  limit: bigint,
  attributes: bigint,
): void {
  const {cells} = core.registers;
  const at = SEGMENT[name];
  cells[at.selector] = selector;
  cells[at.base] = base;
  cells[at.limit] = limit;
  cells[at.attributes] = attributes;
}

function loadHostSegments(core: Core, controls: Controls, code: bigint): void {
  const {vmcs} = controls;
  loadSegment(core, 'CS', vmcs.get('HOST_CS_SELECTOR'), 0n, 0xffff_ffffn, code);
  for (const [name, selectorField, baseField] of DATA_SEGMENTS) {
    const selector = vmcs.get(selectorField);
    const base = baseField === undefined ? 0n : vmcs.get(baseField);
    loadSegment(core, name, selector, base, 0xffff_ffffn, selector === 0n ? FLAT_DATA | UNUSABLE : FLAT_DATA);
  }
  loadSegment(core, 'TR', vmcs.get('HOST_TR_SELECTOR'), vmcs.get('HOST_TR_BASE'), TSS_LIMIT, BUSY_TSS);
  loadSegment(core, 'LDTR', 0n, 0n, 0n, UNUSABLE);
  for (const table of TABLE_FIELDS) {
    core.registers.cells[table.base] = vmcs.get(table.hostBase);
    core.registers.cells[table.limit] = TABLE_LIMIT;
  }
}
