// SDM vol. 3C, "Checks on VMX Controls and Host-State Area", said once more as a table. See block-facts.ts.

import type {VmcsFieldName} from '@hyperscope/isa';
import {isCanonical, isPat} from './block-facts.js';
import type {Rule} from './block-facts.js';
import {
  entry,
  exit,
  fits,
  hasEpt,
  injected,
  isLongGuest,
  isPage,
  isUnrestricted,
  pin,
  primary,
  secondary,
} from './vmcs-facts.js';
import type {VmcsFacts} from './vmcs-facts.js';

type Holds = (f: VmcsFacts) => boolean;
const inGroup =
  (group: 'controls' | 'host') =>
  (rule: string, holds: Holds): Rule<VmcsFacts> => ({group, rule, holds});
const control = inGroup('controls');
const host = inGroup('host');
const implies = (a: boolean, b: () => boolean): boolean => !a || b();

/** Low half of a capability MSR: bits that must be 1; high half: bits that may be. */
function isAllowed(f: VmcsFacts, field: VmcsFieldName, plain: number, exact: number): boolean {
  const msr = f.msr(((f.msr(0x480) >> 55n) & 1n) === 1n ? exact : plain);
  const value = f.get(field);
  return (value & (msr & 0xffff_ffffn)) === (msr & 0xffff_ffffn) && (value & ~(msr >> 32n)) === 0n;
}
const list = (f: VmcsFacts, count: VmcsFieldName, address: VmcsFieldName): boolean =>
  f.get(count) === 0n ||
  (f.get(address) % 16n === 0n && fits(f, f.get(address)) && fits(f, f.get(address) + f.get(count) * 16n - 1n));

const EXECUTION: readonly Rule<VmcsFacts>[] = [
  control('pin-based controls are as 481h or 48Dh allow', f =>
    isAllowed(f, 'PIN_BASED_VM_EXECUTION_CONTROLS', 0x481, 0x48d),
  ),
  control('primary controls are as 482h or 48Eh allow', f =>
    isAllowed(f, 'PRIMARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS', 0x482, 0x48e),
  ),
  control(
    'secondary controls, where activated, are as 48Bh allows',
    f => !primary(f, 31) || isAllowed(f, 'SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS', 0x48b, 0x48b),
  ),
  control(
    'CR3-target count is at most what IA32_VMX_MISC says',
    f => f.get('CR3_TARGET_COUNT') <= ((f.msr(0x485) >> 16n) & 0x1ffn),
  ),
  control('I/O bitmaps are pages', f =>
    implies(primary(f, 25), () => isPage(f, f.get('IO_BITMAP_A_ADDRESS')) && isPage(f, f.get('IO_BITMAP_B_ADDRESS'))),
  ),
  control('the MSR bitmap is a page', f => implies(primary(f, 28), () => isPage(f, f.get('MSR_BITMAP_ADDRESS')))),
  control('the virtual-APIC page is a page', f =>
    implies(primary(f, 21), () => isPage(f, f.get('VIRTUAL_APIC_ADDRESS'))),
  ),
  control('TPR threshold has 4 bits', f =>
    implies(primary(f, 21) && !secondary(f, 9), () => f.get('TPR_THRESHOLD') < 16n),
  ),
  control('TPR threshold is not above VTPR[7:4]', f =>
    implies(
      primary(f, 21) && !secondary(f, 9) && !secondary(f, 0) && isPage(f, f.get('VIRTUAL_APIC_ADDRESS')),
      () => f.bits('TPR_THRESHOLD', 3, 0) <= f.memory(f.get('VIRTUAL_APIC_ADDRESS') + 0x80n, 1) >> 4n,
    ),
  ),
  control('virtual NMIs need NMI exiting', f => implies(pin(f, 5), () => pin(f, 3))),
  control('NMI-window exiting needs virtual NMIs', f => implies(primary(f, 22), () => pin(f, 5))),
  control('VPID is not 0', f => implies(secondary(f, 5), () => f.get('VPID') !== 0n)),
  control('unrestricted guest needs EPT', f => implies(secondary(f, 7), () => hasEpt(f))),
  control('the EPT pointer is in order', f => implies(hasEpt(f), () => isEptPointer(f, f.get('EPT_POINTER')))),
  control('TSC multiplier is not 0', f => implies(secondary(f, 25), () => f.get('TSC_MULTIPLIER') !== 0n)),
];

function isEptPointer(f: VmcsFacts, pointer: bigint): boolean {
  const capabilities = f.msr(0x48c);
  const announces = (bit: bigint): boolean => ((capabilities >> bit) & 1n) === 1n;
  const type = pointer & 7n;
  if (!(type === 0n && announces(8n)) && !(type === 6n && announces(14n))) return false;
  if (((pointer >> 3n) & 7n) !== 3n || ((pointer >> 7n) & 0x1fn) !== 0n) return false;
  return ((pointer & 0x40n) === 0n || announces(21n)) && fits(f, pointer);
}

const EXIT_AND_ENTRY: readonly Rule<VmcsFacts>[] = [
  control('exit controls are as 483h or 48Fh allow', f => isAllowed(f, 'VM_EXIT_CONTROLS', 0x483, 0x48f)),
  control('saving the timer needs the timer', f => implies(exit(f, 22), () => pin(f, 6))),
  control('the exit MSR-store list lies in memory', f =>
    list(f, 'VM_EXIT_MSR_STORE_COUNT', 'VM_EXIT_MSR_STORE_ADDRESS'),
  ),
  control('the exit MSR-load list lies in memory', f => list(f, 'VM_EXIT_MSR_LOAD_COUNT', 'VM_EXIT_MSR_LOAD_ADDRESS')),
  control('entry controls are as 484h or 490h allow', f => isAllowed(f, 'VM_ENTRY_CONTROLS', 0x484, 0x490)),
  control('no entry to SMM, no end of dual-monitor treatment', f => !entry(f, 10) && !entry(f, 11)),
  control('the entry MSR-load list lies in memory', f =>
    list(f, 'VM_ENTRY_MSR_LOAD_COUNT', 'VM_ENTRY_MSR_LOAD_ADDRESS'),
  ),
  control('the event to inject is in order', isInjectable),
];

const WITH_ERROR_CODE = [8, 10, 11, 12, 13, 14, 17];
function isInjectable(f: VmcsFacts): boolean {
  const event = injected(f);
  if (event === undefined) return true;
  const {type, vector} = event;
  const hasTrapFlag = ((f.msr(0x482) >> 59n) & 1n) === 1n;
  if (type === 1 || (type === 7 && !(hasTrapFlag && vector === 0))) return false;
  if ((type === 2 && vector !== 2) || (type === 3 && vector > 31)) return false;
  if (f.bits('VM_ENTRY_INTERRUPTION_INFORMATION', 30, 12) !== 0n) return false;
  const inProtectedMode = !isUnrestricted(f) || f.bit('GUEST_CR0', 0);
  const delivers = f.bit('VM_ENTRY_INTERRUPTION_INFORMATION', 11);
  if (delivers !== (type === 3 && inProtectedMode && WITH_ERROR_CODE.includes(vector))) return false;
  if (delivers && f.get('VM_ENTRY_EXCEPTION_ERROR_CODE') > 0xffffn) return false;
  const length = f.get('VM_ENTRY_INSTRUCTION_LENGTH');
  const least = ((f.msr(0x485) >> 30n) & 1n) === 1n ? 0n : 1n;
  return type < 4 || type > 6 || (length >= least && length <= 15n);
}

const SELECTORS = ['CS', 'SS', 'DS', 'ES', 'FS', 'GS', 'TR'] as const;
const HOST: readonly Rule<VmcsFacts>[] = [
  host('CR0 has the fixed bits', f => isFixed(f.get('HOST_CR0'), f.msr(0x486), f.msr(0x487))),
  host('CR4 has the fixed bits', f => isFixed(f.get('HOST_CR4'), f.msr(0x488), f.msr(0x489))),
  host('CR3 fits', f => fits(f, f.get('HOST_CR3'))),
  host('SYSENTER_ESP is canonical', f => isCanonical(f.get('HOST_IA32_SYSENTER_ESP'))),
  host('SYSENTER_EIP is canonical', f => isCanonical(f.get('HOST_IA32_SYSENTER_EIP'))),
  host('PAT is in order', f => implies(exit(f, 19), () => isPat(f.get('HOST_IA32_PAT')))),
  host('EFER has no reserved bits', f => implies(exit(f, 21), () => (f.get('HOST_IA32_EFER') & ~0xd01n) === 0n)),
  host('EFER.LMA and LME follow the address-space size', f =>
    implies(exit(f, 21), () => f.bit('HOST_IA32_EFER', 8) === exit(f, 9) && f.bit('HOST_IA32_EFER', 10) === exit(f, 9)),
  ),
  ...SELECTORS.map(name => host(`${name} has RPL and TI of 0`, f => f.bits(`HOST_${name}_SELECTOR`, 2, 0) === 0n)),
  host('CS is not null', f => f.get('HOST_CS_SELECTOR') !== 0n),
  host('TR is not null', f => f.get('HOST_TR_SELECTOR') !== 0n),
  host('SS of a 32-bit host is not null', f => exit(f, 9) || f.get('HOST_SS_SELECTOR') !== 0n),
  ...(['FS', 'GS', 'GDTR', 'IDTR', 'TR'] as const).map(name =>
    host(`the base of ${name} is canonical`, f => isCanonical(f.get(`HOST_${name}_BASE`))),
  ),
  host(
    'the processor that enters has the host’s address-space size',
    f => exit(f, 9) === (((f.processorEfer >> 10n) & 1n) === 1n),
  ),
  host('a 32-bit host has no 64-bit guest', f => exit(f, 9) || !isLongGuest(f)),
  host(
    'a 32-bit host: no PCIDE, RIP of 32 bits',
    f => exit(f, 9) || (!f.bit('HOST_CR4', 17) && f.get('HOST_RIP') < 0x1_0000_0000n),
  ),
  host(
    'a 64-bit host: PAE, canonical RIP',
    f => !exit(f, 9) || (f.bit('HOST_CR4', 5) && isCanonical(f.get('HOST_RIP'))),
  ),
];

const isFixed = (value: bigint, ones: bigint, mayBeOne: bigint): boolean =>
  (value & ones) === ones && (value & ~mayBeOne) === 0n;

export const CONTROL_AND_HOST_RULES: readonly Rule<VmcsFacts>[] = [...EXECUTION, ...EXIT_AND_ENTRY, ...HOST];
