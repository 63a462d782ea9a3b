// The current VMCS as the inspector shows it: by area, decoded, with what the last step changed.

import {ENTRY_CONTROLS, EXIT_CONTROLS, PIN_CONTROLS, PRIMARY_CONTROLS, SECONDARY_CONTROLS} from '@hyperscope/machine';
import type {Vmcs} from '@hyperscope/machine';
import {VMCS_FIELDS, exitReasonTitle} from '@hyperscope/isa';
import type {VmcsArea, VmcsField, VmcsFieldName} from '@hyperscope/isa';
import {bit, hex} from '@hyperscope/base';
import type {Moment} from '@hyperscope/trace';
import {controlBlockRows} from './control-block-rows.js';

const AREA_TITLES: Readonly<Record<VmcsArea, string>> = {
  'exit-information': 'Exit information',
  guest: 'Guest state',
  control: 'Controls',
  host: 'Host state',
};
const AREA_ORDER: readonly VmcsArea[] = ['exit-information', 'guest', 'control', 'host'];
const FIELDS = AREA_ORDER.flatMap(area => VMCS_FIELDS.filter(field => field.area === area));

const CONTROL_BITS: Readonly<Partial<Record<VmcsFieldName, Readonly<Record<string, number>>>>> = {
  PIN_BASED_VM_EXECUTION_CONTROLS: PIN_CONTROLS,
  PRIMARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS: PRIMARY_CONTROLS,
  SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS: SECONDARY_CONTROLS,
  VM_EXIT_CONTROLS: EXIT_CONTROLS,
  VM_ENTRY_CONTROLS: ENTRY_CONTROLS,
};

/** Fields that are worth a line even when they are zero. */
const ALWAYS: ReadonlySet<VmcsFieldName> = new Set<VmcsFieldName>([
  'EXIT_REASON',
  'EXIT_QUALIFICATION',
  'GUEST_RIP',
  'GUEST_RSP',
  'GUEST_CR3',
  'GUEST_RFLAGS',
  'HOST_RIP',
  'HOST_CR3',
]);

/** The fields that hold something, or that changed; `before` is the same VMCS one step earlier, where there was one. */
export function vmcsPanel(vmcs: Vmcs | undefined, before: Vmcs | undefined): Moment['vmcs'] {
  if (vmcs === undefined) return [];
  return controlBlockRows(FIELDS, {
    areaTitle: field => AREA_TITLES[field.area],
    read: field => vmcs.get(field.name),
    readBefore: field => before?.get(field.name),
    always: ALWAYS,
    valueText,
    meaningText,
  });
}

function valueText(field: VmcsField, value: bigint): string {
  if (field.name !== 'EXIT_REASON') return hex(value, field.width === 16 ? 4 : 1);
  const failed = bit(value, 31) ? ' (VM-entry failure)' : '';
  return `${value & 0xffffn} ${exitReasonTitle(Number(value & 0xffffn))}${failed}`;
}

function meaningText(field: VmcsField, value: bigint): string {
  const bits = CONTROL_BITS[field.name];
  if (bits === undefined) return field.title;
  const on = Object.entries(bits)
    .filter(([, index]) => bit(value, index))
    .map(([name]) => name);
  return `${field.title}: ${on.length === 0 ? 'none of the named controls' : on.join(', ')}`;
}
