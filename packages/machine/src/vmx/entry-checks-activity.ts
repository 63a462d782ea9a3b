// VM-entry checks on guest state that is no register: activity, interruptibility, pending debug exceptions, link pointer,
// PDPTEs. SDM vol. 3C, "Checks on Guest Non-Register State", "Checks on Guest Page-Directory-Pointer-Table Entries".

import {bit, bits, hpa} from '@hyperscope/base';
import type {CheckList} from './check-list.js';
import {INJECTION_TYPE} from './entry-checks-injection.js';
import type {EntryContext} from './entry-context.js';
import {NO_POINTER} from './vmcs.js';

const POINTER_TABLE_FIELDS = ['GUEST_PDPTE0', 'GUEST_PDPTE1', 'GUEST_PDPTE2', 'GUEST_PDPTE3'] as const;
const ACTIVE = 0n;
const HLT = 1n;
const SHUTDOWN = 2n;
const WAIT_FOR_SIPI = 3n;
const STI = 0;
const MOV_SS = 1;
const SMI = 2;
const NMI = 3;
const ENCLAVE = 4;
/** B0 to B3, enabled breakpoint (12), BS (14); RTM (16) and bus locks (11) no processor here has. */
const PENDING_DEBUG = 0x500fn;

export function checkNonRegisterState(context: EntryContext, list: CheckList): void {
  checkActivity(context, list);
  checkInterruptibility(context, list);
  checkPendingDebug(context, list);
  checkLinkPointer(context, list);
  checkPointerTableEntries(context, list);
}

function checkActivity(context: EntryContext, list: CheckList): void {
  const state = context.get('GUEST_ACTIVITY_STATE');
  const value = ['GUEST_ACTIVITY_STATE', state] as const;
  const supported =
    state === ACTIVE || (state <= WAIT_FOR_SIPI && bit(BigInt(context.capabilities.activityStates), Number(state) - 1));
  list.must(supported, 'the activity state is one that IA32_VMX_MISC announces', value);
  if (state === HLT)
    list.must(
      bits(context.get('GUEST_SS_ACCESS_RIGHTS'), 6, 5) === 0n,
      'activity state HLT needs SS.DPL = 0',
      value,
      context.field('GUEST_SS_ACCESS_RIGHTS'),
    );
  const blocked = bits(context.get('GUEST_INTERRUPTIBILITY_STATE'), 1, 0) !== 0n;
  list.must(
    !blocked || state === ACTIVE,
    'blocking by STI or MOV SS needs the active state',
    value,
    context.field('GUEST_INTERRUPTIBILITY_STATE'),
  );
  const information = context.get('VM_ENTRY_INTERRUPTION_INFORMATION');
  if (bit(information, 31)) {
    list.must(
      injectable(Number(state), Number(bits(information, 10, 8)), Number(bits(information, 7, 0))),
      'the injected event can wake this activity state',
      value,
      ['VM_ENTRY_INTERRUPTION_INFORMATION', information],
    );
  }
}

function injectable(state: number, type: number, vector: number): boolean {
  switch (BigInt(state)) {
    case ACTIVE:
      return true;
    case HLT:
      return (
        type === INJECTION_TYPE.externalInterrupt ||
        type === INJECTION_TYPE.nmi ||
        type === INJECTION_TYPE.other ||
        (type === INJECTION_TYPE.hardwareException && (vector === 1 || vector === 18))
      );
    case SHUTDOWN:
      return type === INJECTION_TYPE.nmi || (type === INJECTION_TYPE.hardwareException && vector === 18);
    default:
      return false;
  }
}

function checkInterruptibility(context: EntryContext, list: CheckList): void {
  const state = context.get('GUEST_INTERRUPTIBILITY_STATE');
  const value = ['GUEST_INTERRUPTIBILITY_STATE', state] as const;
  const information = context.get('VM_ENTRY_INTERRUPTION_INFORMATION');
  const injected = bit(information, 31) ? Number(bits(information, 10, 8)) : undefined;
  list.must(state >> 5n === 0n, 'interruptibility state: bits 31:5 are 0', value);
  list.must(!(bit(state, STI) && bit(state, MOV_SS)), 'not both blocking by STI and blocking by MOV SS', value);
  list.must(
    !bit(state, STI) || context.vmcs.bit('GUEST_RFLAGS', 9),
    'blocking by STI needs RFLAGS.IF = 1',
    value,
    context.field('GUEST_RFLAGS'),
  );
  list.must(!bit(state, SMI), 'blocking by SMI is 0 outside SMM', value);
  list.must(!bit(state, ENCLAVE), 'interruptibility state: enclave interruption is 0 without SGX', value);
  if (injected === INJECTION_TYPE.externalInterrupt) {
    list.must(
      context.vmcs.bit('GUEST_RFLAGS', 9),
      'an external interrupt is injected with RFLAGS.IF = 1',
      context.field('GUEST_RFLAGS'),
      ['VM_ENTRY_INTERRUPTION_INFORMATION', information],
    );
    list.must(bits(state, 1, 0) === 0n, 'an external interrupt is injected without blocking by STI or MOV SS', value, [
      'VM_ENTRY_INTERRUPTION_INFORMATION',
      information,
    ]);
  }
  if (injected === INJECTION_TYPE.nmi) {
    list.must(!bit(state, MOV_SS), 'an NMI is injected without blocking by MOV SS', value, [
      'VM_ENTRY_INTERRUPTION_INFORMATION',
      information,
    ]);
    list.must(
      !context.controls.pin('virtual NMIs') || !bit(state, NMI),
      'an NMI is injected without blocking by NMI, as virtual NMIs = 1',
      value,
      context.field('PIN_BASED_VM_EXECUTION_CONTROLS'),
      ['VM_ENTRY_INTERRUPTION_INFORMATION', information],
    );
  }
}

function checkPendingDebug(context: EntryContext, list: CheckList): void {
  const pending = context.get('GUEST_PENDING_DEBUG_EXCEPTIONS');
  const value = ['GUEST_PENDING_DEBUG_EXCEPTIONS', pending] as const;
  list.must((pending & ~PENDING_DEBUG) === 0n, 'pending debug exceptions: reserved bits are 0', value);
  const held =
    bits(context.get('GUEST_INTERRUPTIBILITY_STATE'), 1, 0) !== 0n || context.get('GUEST_ACTIVITY_STATE') === HLT;
  if (!held) return;
  const step = context.vmcs.bit('GUEST_RFLAGS', 8) && !context.vmcs.bit('GUEST_IA32_DEBUGCTL', 1);
  list.must(
    bit(pending, 14) === step,
    'pending debug exceptions: BS equals TF (without BTF) while events are held',
    value,
    context.field('GUEST_RFLAGS'),
  );
}

function checkLinkPointer(context: EntryContext, list: CheckList): void {
  const link = context.get('VMCS_LINK_POINTER');
  if (link === NO_POINTER) return;
  const value = ['VMCS_LINK_POINTER', link] as const;
  list.must(
    bits(link, 11, 0) === 0n && context.physical(link),
    'the VMCS link pointer is all ones, or the aligned address of a VMCS',
    value,
  );
  list.must(Number(link) !== context.vmcs.address, 'the VMCS link pointer is not the current VMCS', value);
  if (!context.physical(link)) return;
  const word = context.core.memory.read(hpa(Number(link)), 4);
  list.must(
    Number(word & 0x7fff_ffffn) === context.capabilities.revision,
    'the VMCS that the link pointer names has this processor’s revision identifier',
    value,
    ['first word', word],
  );
  list.must(
    bit(word, 31) === context.controls.secondary('VMCS shadowing'),
    'the VMCS that the link pointer names is a shadow VMCS (bit 31) just where VMCS shadowing = 1',
    value,
    ['first word', word],
  );
}

function checkPointerTableEntries(context: EntryContext, list: CheckList): void {
  if (!context.paging || !context.vmcs.bit('GUEST_CR4', 5) || context.ia32eGuest) return;
  const cr3 = context.get('GUEST_CR3');
  if (!context.controls.usesEpt && !context.physical(cr3)) return;
  for (const [index, name] of POINTER_TABLE_FIELDS.entries()) {
    const entry = context.controls.usesEpt
      ? context.get(name)
      : context.core.memory.read(hpa(Number(cr3 & 0xffff_ffe0n) + 8 * index), 8);
    list.must(
      !bit(entry, 0) || ((entry & 0x1e6n) === 0n && context.physical(entry)),
      context.controls.usesEpt
        ? `${name}: reserved bits are 0 where it is present`
        : `PDPTE ${index}, where guest CR3 points: reserved bits are 0 where it is present`,
      [context.controls.usesEpt ? name : 'PDPTE', entry],
      ['GUEST_CR3', cr3],
    );
  }
}
