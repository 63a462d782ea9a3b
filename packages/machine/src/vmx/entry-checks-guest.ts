// VM-entry checks on the guest-state area. One that fails: the processor is already on its way, so it leaves the guest
// again with exit reason 33 and the host state loaded. SDM vol. 3C, "Checks on the Guest State Area".

import {bit} from '@hyperscope/base';
import type {VmcsFieldName} from '@hyperscope/isa';
import type {CheckList} from './check-list.js';
import type {EntryContext} from './entry-context.js';
import {checkGuestSegments} from './entry-checks-segments.js';
import {checkNonRegisterState} from './entry-checks-activity.js';
import {validPat} from './pat.js';

const CR0_PE_PG = 0x8000_0001n;
const EFER_DEFINED = 0xd01n;

export function checkGuestState(context: EntryContext, list: CheckList): void {
  checkControlRegisters(context, list);
  checkMsrs(context, list);
  checkGuestSegments(context, list);
  checkDescriptorTables(context, list);
  checkRipAndRflags(context, list);
  checkNonRegisterState(context, list);
}

function checkCanonical(context: EntryContext, list: CheckList, name: VmcsFieldName): void {
  list.must(context.canonical(context.get(name)), `${name} is canonical`, context.field(name));
}

function checkControlRegisters(context: EntryContext, list: CheckList): void {
  const {cr0, cr4} = context.capabilities;
  const guestCr0 = context.field('GUEST_CR0');
  const guestCr4 = context.field('GUEST_CR4');
  const required = context.controls.unrestrictedGuest ? cr0.must & ~CR0_PE_PG : cr0.must;
  list.must(
    (required & ~context.get('GUEST_CR0')) === 0n,
    context.controls.unrestrictedGuest
      ? 'guest CR0.NE = 1 (unrestricted guest waives PE and PG)'
      : 'guest CR0: PE, NE and PG are 1, as unrestricted guest = 0',
    guestCr0,
    context.field('PRIMARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS'),
    context.field('SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS'),
  );
  list.must(
    (context.get('GUEST_CR0') & ~cr0.may) === 0n,
    'guest CR0: no bit that IA32_VMX_CR0_FIXED1 forbids',
    guestCr0,
  );
  list.must(!context.paging || context.protection, 'guest CR0.PG = 1 needs CR0.PE = 1', guestCr0);
  list.must((cr4.must & ~context.get('GUEST_CR4')) === 0n, 'guest CR4.VMXE = 1', guestCr4);
  list.must(
    (context.get('GUEST_CR4') & ~cr4.may) === 0n,
    'guest CR4: no bit that IA32_VMX_CR4_FIXED1 forbids',
    guestCr4,
  );
  const entry = context.field('VM_ENTRY_CONTROLS');
  if (context.ia32eGuest) {
    list.must(context.paging, 'IA-32e mode guest = 1 needs guest CR0.PG = 1', entry, guestCr0);
    list.must(context.vmcs.bit('GUEST_CR4', 5), 'IA-32e mode guest = 1 needs guest CR4.PAE = 1', entry, guestCr4);
  } else {
    list.must(!context.vmcs.bit('GUEST_CR4', 17), 'IA-32e mode guest = 0 needs guest CR4.PCIDE = 0', entry, guestCr4);
  }
  list.must(
    context.physical(context.get('GUEST_CR3')),
    'guest CR3 lies inside the physical-address width',
    context.field('GUEST_CR3'),
  );
}

function checkMsrs(context: EntryContext, list: CheckList): void {
  const {controls} = context;
  if (controls.entry('load debug controls')) {
    list.must(context.get('GUEST_DR7') >> 32n === 0n, 'guest DR7: bits 63:32 are 0', context.field('GUEST_DR7'));
    list.must(
      (context.get('GUEST_IA32_DEBUGCTL') & ~0x5fc3n) === 0n,
      'guest IA32_DEBUGCTL: reserved bits are 0',
      context.field('GUEST_IA32_DEBUGCTL'),
    );
  }
  checkCanonical(context, list, 'GUEST_IA32_SYSENTER_ESP');
  checkCanonical(context, list, 'GUEST_IA32_SYSENTER_EIP');
  if (controls.entry('load IA32_PAT'))
    list.must(
      validPat(context.get('GUEST_IA32_PAT')),
      'guest IA32_PAT: every byte is a memory type',
      context.field('GUEST_IA32_PAT'),
    );
  if (!controls.entry('load IA32_EFER')) return;
  const efer = context.get('GUEST_IA32_EFER');
  const value = ['GUEST_IA32_EFER', efer] as const;
  list.must((efer & ~EFER_DEFINED) === 0n, 'guest IA32_EFER: reserved bits are 0', value);
  list.must(
    bit(efer, 10) === context.ia32eGuest,
    'guest IA32_EFER.LMA equals IA-32e mode guest',
    value,
    context.field('VM_ENTRY_CONTROLS'),
  );
  list.must(
    !context.paging || bit(efer, 10) === bit(efer, 8),
    'guest IA32_EFER: LMA equals LME where CR0.PG = 1',
    value,
    context.field('GUEST_CR0'),
  );
}

function checkDescriptorTables(context: EntryContext, list: CheckList): void {
  checkCanonical(context, list, 'GUEST_GDTR_BASE');
  checkCanonical(context, list, 'GUEST_IDTR_BASE');
  for (const name of ['GUEST_GDTR_LIMIT', 'GUEST_IDTR_LIMIT'] as const) {
    list.must(context.get(name) >> 16n === 0n, `${name}: bits 31:16 are 0`, context.field(name));
  }
}

/** Bits 63:22, 15, 5 and 3 of RFLAGS. */
const RFLAGS_RESERVED = ~0x3f_ffffn | 0x8028n;

function checkRipAndRflags(context: EntryContext, list: CheckList): void {
  const rip = context.get('GUEST_RIP');
  const code64 = context.ia32eGuest && context.vmcs.bit('GUEST_CS_ACCESS_RIGHTS', 13);
  if (code64) list.must(context.canonical(rip), 'guest RIP is canonical', ['GUEST_RIP', rip]);
  else
    list.must(
      rip >> 32n === 0n,
      'guest RIP: bits 63:32 are 0 outside 64-bit mode',
      ['GUEST_RIP', rip],
      context.field('GUEST_CS_ACCESS_RIGHTS'),
    );
  const flags = context.get('GUEST_RFLAGS');
  const value = ['GUEST_RFLAGS', flags] as const;
  list.must((flags & BigInt.asUintN(64, RFLAGS_RESERVED)) === 0n, 'guest RFLAGS: bits 63:22, 15, 5 and 3 are 0', value);
  list.must(bit(flags, 1), 'guest RFLAGS: bit 1 is 1', value);
  list.must(
    !context.virtual8086 || (!context.ia32eGuest && context.protection),
    'guest RFLAGS.VM = 1 needs CR0.PE = 1 and no IA-32e mode guest',
    value,
    context.field('GUEST_CR0'),
  );
}
