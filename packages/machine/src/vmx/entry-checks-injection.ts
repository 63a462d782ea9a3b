// VM-entry checks on the fields that inject an event. SDM vol. 3C, "VM-Entry Control Fields" (checks) and
// "VM-Entry Controls for Event Injection":
//
//   31 valid · 30:12 reserved · 11 deliver error code · 10:8 type · 7:0 vector

import {bit, bits} from '@hyperscope/base';
import type {CheckList} from './check-list.js';
import {controlMask, primaryControl} from './control-bits.js';
import type {EntryContext} from './entry-context.js';

export const INJECTION_TYPE = {
  externalInterrupt: 0,
  reserved: 1,
  nmi: 2,
  hardwareException: 3,
  softwareInterrupt: 4,
  privilegedSoftwareException: 5,
  softwareException: 6,
  other: 7,
} as const;

/** #DF #TS #NP #SS #GP #PF #AC push an error code, in protected mode. */
const WITH_ERROR_CODE: ReadonlySet<number> = new Set([8, 10, 11, 12, 13, 14, 17]);

export function checkInjectedEvent(context: EntryContext, list: CheckList): void {
  const information = context.get('VM_ENTRY_INTERRUPTION_INFORMATION');
  if (!bit(information, 31)) return;
  const value = ['VM_ENTRY_INTERRUPTION_INFORMATION', information] as const;
  const type = Number(bits(information, 10, 8));
  const vector = Number(bits(information, 7, 0));
  list.must(type !== INJECTION_TYPE.reserved, 'the injected event does not have the reserved type 1', value);
  list.must(
    type !== INJECTION_TYPE.other || (hasMonitorTrap(context) && vector === 0),
    'the injected event has type 7 (other) only with vector 0, and only where the monitor trap flag is supported',
    value,
  );
  list.must(type !== INJECTION_TYPE.nmi || vector === 2, 'an injected NMI has vector 2', value);
  list.must(
    type !== INJECTION_TYPE.hardwareException || vector <= 31,
    'an injected hardware exception has a vector of at most 31',
    value,
  );
  list.must(bits(information, 30, 12) === 0n, 'VM-entry interruption information: bits 30:12 are 0', value);
  checkErrorCode(context, list, type, vector);
  if (type >= INJECTION_TYPE.softwareInterrupt && type <= INJECTION_TYPE.softwareException) {
    const length = context.get('VM_ENTRY_INSTRUCTION_LENGTH');
    list.must(length >= 1n && length <= 15n, 'a software event is injected with an instruction length of 1 to 15', [
      'VM_ENTRY_INSTRUCTION_LENGTH',
      length,
    ]);
  }
}

/** Type 7, vector 0: a monitor-trap-flag exit that is pending. */
const hasMonitorTrap = ({capabilities}: EntryContext): boolean =>
  (capabilities.primary.may & controlMask(primaryControl('monitor trap flag'))) !== 0n;

function checkErrorCode(context: EntryContext, list: CheckList, type: number, vector: number): void {
  const information = context.get('VM_ENTRY_INTERRUPTION_INFORMATION');
  const canBeProtected = context.protection || !context.controls.unrestrictedGuest;
  const wanted = type === INJECTION_TYPE.hardwareException && canBeProtected && WITH_ERROR_CODE.has(vector);
  list.must(
    bit(information, 11) === wanted,
    wanted ? `vector ${vector} in protected mode delivers an error code` : 'this event delivers no error code',
    ['VM_ENTRY_INTERRUPTION_INFORMATION', information],
    context.field('GUEST_CR0'),
  );
  if (bit(information, 11)) {
    list.must(
      context.get('VM_ENTRY_EXCEPTION_ERROR_CODE') >> 16n === 0n,
      'the injected error code: bits 31:16 are 0',
      context.field('VM_ENTRY_EXCEPTION_ERROR_CODE'),
    );
  }
}
