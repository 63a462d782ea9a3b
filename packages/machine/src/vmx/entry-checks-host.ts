// VM-entry checks on the host-state area: what a VM exit would load must be loadable. One that fails: VMfailValid(8).
// SDM vol. 3C, "Checks on Host Control Registers, MSRs, and SSP", "… on Host Segment and Descriptor-Table Registers",
// "Checks Related to Address-Space Size".

import {bit, bits} from '@hyperscope/base';
import type {VmcsFieldName} from '@hyperscope/isa';
import type {CheckList} from './check-list.js';
import type {EntryContext} from './entry-context.js';
import {validPat} from './pat.js';

const EFER_DEFINED = 0xd01n;
const CR4_PAE = 5;
const CR4_PCIDE = 17;

export function checkHostState(context: EntryContext, list: CheckList): void {
  checkControlRegisters(context, list);
  checkMsrs(context, list);
  checkSelectors(context, list);
  checkAddressSpaceSize(context, list);
}

function checkControlRegisters(context: EntryContext, list: CheckList): void {
  const {cr0, cr4} = context.capabilities;
  const hostCr0 = context.get('HOST_CR0');
  const hostCr4 = context.get('HOST_CR4');
  list.must((cr0.must & ~hostCr0) === 0n, 'host CR0: PE, NE and PG are 1, as IA32_VMX_CR0_FIXED0 asks', [
    'HOST_CR0',
    hostCr0,
  ]);
  list.must((hostCr0 & ~cr0.may) === 0n, 'host CR0: no bit that IA32_VMX_CR0_FIXED1 forbids', ['HOST_CR0', hostCr0]);
  list.must((cr4.must & ~hostCr4) === 0n, 'host CR4: VMXE is 1, as IA32_VMX_CR4_FIXED0 asks', ['HOST_CR4', hostCr4]);
  list.must((hostCr4 & ~cr4.may) === 0n, 'host CR4: no bit that IA32_VMX_CR4_FIXED1 forbids', ['HOST_CR4', hostCr4]);
  list.must(
    context.physical(context.get('HOST_CR3')),
    'host CR3 lies inside the physical-address width',
    context.field('HOST_CR3'),
  );
}

function checkCanonical(context: EntryContext, list: CheckList, name: VmcsFieldName): void {
  list.must(context.canonical(context.get(name)), `${name} is canonical`, context.field(name));
}

function checkMsrs(context: EntryContext, list: CheckList): void {
  checkCanonical(context, list, 'HOST_IA32_SYSENTER_ESP');
  checkCanonical(context, list, 'HOST_IA32_SYSENTER_EIP');
  if (context.controls.exit('load IA32_PAT'))
    list.must(
      validPat(context.get('HOST_IA32_PAT')),
      'host IA32_PAT: every byte is a memory type',
      context.field('HOST_IA32_PAT'),
    );
  if (!context.controls.exit('load IA32_EFER')) return;
  const efer = context.get('HOST_IA32_EFER');
  const value = ['HOST_IA32_EFER', efer] as const;
  list.must((efer & ~EFER_DEFINED) === 0n, 'host IA32_EFER: reserved bits are 0', value);
  list.must(
    bit(efer, 10) === context.host64 && bit(efer, 8) === context.host64,
    'host IA32_EFER: LMA and LME equal host address-space size',
    value,
    context.field('VM_EXIT_CONTROLS'),
  );
}

const SELECTORS = [
  'HOST_CS_SELECTOR',
  'HOST_SS_SELECTOR',
  'HOST_DS_SELECTOR',
  'HOST_ES_SELECTOR',
  'HOST_FS_SELECTOR',
  'HOST_GS_SELECTOR',
  'HOST_TR_SELECTOR',
] as const;
const BASES = ['HOST_FS_BASE', 'HOST_GS_BASE', 'HOST_GDTR_BASE', 'HOST_IDTR_BASE', 'HOST_TR_BASE'] as const;

function checkSelectors(context: EntryContext, list: CheckList): void {
  for (const name of SELECTORS) {
    const selector = context.get(name);
    list.must(bits(selector, 2, 0) === 0n, `${name}: RPL and TI are 0`, [name, selector]);
  }
  list.must(context.get('HOST_CS_SELECTOR') !== 0n, 'host CS selector ≠ 0', context.field('HOST_CS_SELECTOR'));
  list.must(context.get('HOST_TR_SELECTOR') !== 0n, 'host TR selector ≠ 0', context.field('HOST_TR_SELECTOR'));
  list.must(
    context.host64 || context.get('HOST_SS_SELECTOR') !== 0n,
    'host SS selector ≠ 0 for a 32-bit host',
    context.field('HOST_SS_SELECTOR'),
  );
  for (const name of BASES) checkCanonical(context, list, name);
}

function checkAddressSpaceSize(context: EntryContext, list: CheckList): void {
  const lma = bit(context.core.registers.get('EFER'), 10);
  const exit = context.field('VM_EXIT_CONTROLS');
  list.must(lma === context.host64, 'host address-space size equals IA32_EFER.LMA of the processor that enters', exit, [
    'EFER',
    context.core.registers.get('EFER'),
  ]);
  list.must(
    context.host64 || !context.ia32eGuest,
    'IA-32e mode guest = 1 needs host address-space size = 1',
    exit,
    context.field('VM_ENTRY_CONTROLS'),
  );
  if (context.host64) {
    list.must(context.vmcs.bit('HOST_CR4', CR4_PAE), 'host CR4.PAE = 1 for a 64-bit host', context.field('HOST_CR4'));
    checkCanonical(context, list, 'HOST_RIP');
  } else {
    list.must(
      !context.vmcs.bit('HOST_CR4', CR4_PCIDE),
      'host CR4.PCIDE = 0 for a 32-bit host',
      context.field('HOST_CR4'),
    );
    list.must(
      context.get('HOST_RIP') >> 32n === 0n,
      'host RIP: bits 63:32 are 0 for a 32-bit host',
      context.field('HOST_RIP'),
    );
  }
}
