// SDM vol. 3C, "Checks on the Guest State Area", said once more as a table. See block-facts.ts.

import {isCanonical, isPat} from './block-facts.js';
import type {Rule} from './block-facts.js';
import {
  entry,
  fits,
  hasEpt,
  injected,
  isLongGuest,
  isPage,
  isUnrestricted,
  isVirtual8086,
  pin,
  secondary,
} from './vmcs-facts.js';
import type {VmcsFacts} from './vmcs-facts.js';

const guest = (rule: string, holds: (f: VmcsFacts) => boolean): Rule<VmcsFacts> => ({group: 'guest', rule, holds});

const PE = 0,
  PG = 31,
  PAE = 5;
const CONTROL_REGISTERS: readonly Rule<VmcsFacts>[] = [
  guest('CR0 has the fixed bits, PE and PG of an unrestricted guest excepted', f => {
    const ones = isUnrestricted(f) ? f.msr(0x486) & ~0x8000_0001n : f.msr(0x486);
    return (f.get('GUEST_CR0') & ones) === ones && (f.get('GUEST_CR0') & ~f.msr(0x487)) === 0n;
  }),
  guest('PG needs PE', f => !f.bit('GUEST_CR0', PG) || f.bit('GUEST_CR0', PE)),
  guest(
    'CR4 has the fixed bits',
    f => (f.get('GUEST_CR4') & f.msr(0x488)) === f.msr(0x488) && (f.get('GUEST_CR4') & ~f.msr(0x489)) === 0n,
  ),
  guest('an IA-32e guest has PG and PAE', f => !isLongGuest(f) || (f.bit('GUEST_CR0', PG) && f.bit('GUEST_CR4', PAE))),
  guest('no other guest has PCIDE', f => isLongGuest(f) || !f.bit('GUEST_CR4', 17)),
  guest('CR3 fits', f => fits(f, f.get('GUEST_CR3'))),
  guest('DEBUGCTL has no reserved bits', f => !entry(f, 2) || (f.get('GUEST_IA32_DEBUGCTL') & ~0x5fc3n) === 0n),
  guest('DR7 has 32 bits', f => !entry(f, 2) || f.get('GUEST_DR7') < 0x1_0000_0000n),
  guest(
    'SYSENTER_ESP and SYSENTER_EIP are canonical',
    f => isCanonical(f.get('GUEST_IA32_SYSENTER_ESP')) && isCanonical(f.get('GUEST_IA32_SYSENTER_EIP')),
  ),
  guest('PAT is in order', f => !entry(f, 14) || isPat(f.get('GUEST_IA32_PAT'))),
  guest('EFER has no reserved bits', f => !entry(f, 15) || (f.get('GUEST_IA32_EFER') & ~0xd01n) === 0n),
  guest(
    'EFER.LMA says what the entry control says',
    f => !entry(f, 15) || f.bit('GUEST_IA32_EFER', 10) === isLongGuest(f),
  ),
  guest(
    'EFER.LMA is LME where paging is on',
    f => !entry(f, 15) || !f.bit('GUEST_CR0', PG) || f.bit('GUEST_IA32_EFER', 10) === f.bit('GUEST_IA32_EFER', 8),
  ),
];

type Segment = 'CS' | 'SS' | 'DS' | 'ES' | 'FS' | 'GS';
const SEGMENTS: readonly Segment[] = ['CS', 'SS', 'DS', 'ES', 'FS', 'GS'];
const DATA: readonly Segment[] = ['DS', 'ES', 'FS', 'GS'];
type Described = Segment | 'LDTR' | 'TR';

const rights = (f: VmcsFacts, name: Described): number => Number(f.get(`GUEST_${name}_ACCESS_RIGHTS`));
const isUsable = (f: VmcsFacts, name: Described): boolean => ((rights(f, name) >>> 16) & 1) === 0;
const type = (f: VmcsFacts, name: Described): number => rights(f, name) & 15;
const dpl = (f: VmcsFacts, name: Described): number => (rights(f, name) >>> 5) & 3;
const rpl = (f: VmcsFacts, name: Described): number => Number(f.get(`GUEST_${name}_SELECTOR`) & 3n);
const code64 = (f: VmcsFacts): boolean => isLongGuest(f) && ((rights(f, 'CS') >>> 13) & 1) === 1;
/** Of CS, TR and what is usable: present, S as it must be, reserved bits 0, limit and granularity in accord. */
function isFormed(f: VmcsFacts, name: Described, s: 0 | 1): boolean {
  const word = rights(f, name);
  if (((word >>> 4) & 1) !== s || ((word >>> 7) & 1) !== 1 || (word & 0xfffe_0f00) !== 0) return false;
  const limit = Number(f.get(`GUEST_${name}_LIMIT`));
  const granular = ((word >>> 15) & 1) === 1;
  return granular ? (limit & 0xfff) === 0xfff : limit >>> 20 === 0;
}
const plain = (rule: string, holds: (f: VmcsFacts) => boolean): Rule<VmcsFacts> =>
  guest(rule, f => isVirtual8086(f) || holds(f));

const SEGMENT_RULES: readonly Rule<VmcsFacts>[] = [
  guest('TR is in the GDT', f => !f.bit('GUEST_TR_SELECTOR', 2)),
  guest('LDTR is in the GDT', f => !isUsable(f, 'LDTR') || !f.bit('GUEST_LDTR_SELECTOR', 2)),
  plain('RPL of SS is that of CS', f => isUnrestricted(f) || rpl(f, 'SS') === rpl(f, 'CS')),
  ...SEGMENTS.map(name =>
    guest(
      `${name} of an 8086 guest has one base, limit and rights`,
      f =>
        !isVirtual8086(f) ||
        (f.get(`GUEST_${name}_BASE`) === f.get(`GUEST_${name}_SELECTOR`) << 4n &&
          f.get(`GUEST_${name}_LIMIT`) === 0xffffn &&
          rights(f, name) === 0xf3),
    ),
  ),
  ...(['TR', 'FS', 'GS'] as const).map(name =>
    guest(`the base of ${name} is canonical`, f => isCanonical(f.get(`GUEST_${name}_BASE`))),
  ),
  guest('the base of LDTR is canonical', f => !isUsable(f, 'LDTR') || isCanonical(f.get('GUEST_LDTR_BASE'))),
  guest('the base of CS has 32 bits', f => f.get('GUEST_CS_BASE') < 0x1_0000_0000n),
  ...(['SS', 'DS', 'ES'] as const).map(name =>
    guest(`the base of ${name} has 32 bits`, f => !isUsable(f, name) || f.get(`GUEST_${name}_BASE`) < 0x1_0000_0000n),
  ),
  plain(
    'CS is accessed code, or data for an unrestricted guest',
    f => [9, 11, 13, 15].includes(type(f, 'CS')) || (type(f, 'CS') === 3 && isUnrestricted(f)),
  ),
  plain('CS is formed well', f => isFormed(f, 'CS', 1)),
  plain('DPL of CS', f => {
    switch (type(f, 'CS')) {
      case 3:
        return dpl(f, 'CS') === 0;
      case 9:
      case 11:
        return dpl(f, 'CS') === dpl(f, 'SS');
      case 13:
      case 15:
        return dpl(f, 'CS') <= dpl(f, 'SS');
      default:
        return true;
    }
  }),
  plain('64-bit code has D of 0', f => !code64(f) || ((rights(f, 'CS') >>> 14) & 1) === 0),
  plain('SS is writable data', f => !isUsable(f, 'SS') || [3, 7].includes(type(f, 'SS'))),
  plain('DPL of SS is its RPL', f => isUnrestricted(f) || dpl(f, 'SS') === rpl(f, 'SS')),
  plain('DPL of SS is 0 in real mode', f => (type(f, 'CS') !== 3 && f.bit('GUEST_CR0', PE)) || dpl(f, 'SS') === 0),
  plain('SS is formed well', f => !isUsable(f, 'SS') || isFormed(f, 'SS', 1)),
  ...DATA.flatMap(name => [
    plain(
      `${name} is accessed, and readable if it is code`,
      f =>
        !isUsable(f, name) || ((type(f, name) & 1) === 1 && ((type(f, name) & 8) === 0 || (type(f, name) & 2) !== 0)),
    ),
    plain(
      `DPL of ${name} is not below its RPL`,
      f => isUnrestricted(f) || !isUsable(f, name) || type(f, name) > 11 || dpl(f, name) >= rpl(f, name),
    ),
    plain(`${name} is formed well`, f => !isUsable(f, name) || isFormed(f, name, 1)),
  ]),
  guest(
    'TR is a busy TSS',
    f =>
      (type(f, 'TR') === 11 || (type(f, 'TR') === 3 && !isLongGuest(f))) && isUsable(f, 'TR') && isFormed(f, 'TR', 0),
  ),
  guest('LDTR is an LDT', f => !isUsable(f, 'LDTR') || (type(f, 'LDTR') === 2 && isFormed(f, 'LDTR', 0))),
  guest(
    'the bases of GDTR and IDTR are canonical',
    f => isCanonical(f.get('GUEST_GDTR_BASE')) && isCanonical(f.get('GUEST_IDTR_BASE')),
  ),
  guest(
    'the limits of GDTR and IDTR have 16 bits',
    f => f.get('GUEST_GDTR_LIMIT') < 0x1_0000n && f.get('GUEST_IDTR_LIMIT') < 0x1_0000n,
  ),
];

const FLAGS_AND_STATE: readonly Rule<VmcsFacts>[] = [
  guest('RIP is canonical in 64-bit mode and has 32 bits elsewhere', f =>
    code64(f) ? isCanonical(f.get('GUEST_RIP')) : f.get('GUEST_RIP') < 0x1_0000_0000n,
  ),
  guest(
    'RFLAGS has no reserved bits, and bit 1',
    f => (f.get('GUEST_RFLAGS') & ~0x3f_7fd7n) === 0n && f.bit('GUEST_RFLAGS', 1),
  ),
  guest(
    'RFLAGS.VM only in legacy protected mode',
    f => !isVirtual8086(f) || (!isLongGuest(f) && f.bit('GUEST_CR0', PE)),
  ),
  guest('RFLAGS.IF for an external interrupt', f => injected(f)?.type !== 0 || f.bit('GUEST_RFLAGS', 9)),
  guest(
    'the activity state exists',
    f =>
      f.get('GUEST_ACTIVITY_STATE') === 0n ||
      (f.get('GUEST_ACTIVITY_STATE') <= 3n && ((f.msr(0x485) >> (5n + f.get('GUEST_ACTIVITY_STATE'))) & 1n) === 1n),
  ),
  guest('HLT only at CPL 0', f => f.get('GUEST_ACTIVITY_STATE') !== 1n || dpl(f, 'SS') === 0),
  guest(
    'blocking by STI or MOV SS only in the active state',
    f => f.bits('GUEST_INTERRUPTIBILITY_STATE', 1, 0) === 0n || f.get('GUEST_ACTIVITY_STATE') === 0n,
  ),
  guest('the event can wake the state', f => canWake(f)),
  guest('interruptibility has no reserved bits', f => f.get('GUEST_INTERRUPTIBILITY_STATE') < 32n),
  guest('interruptibility: not STI and MOV SS together', f => f.bits('GUEST_INTERRUPTIBILITY_STATE', 1, 0) !== 3n),
  guest('interruptibility: STI needs IF', f => !f.bit('GUEST_INTERRUPTIBILITY_STATE', 0) || f.bit('GUEST_RFLAGS', 9)),
  guest(
    'interruptibility: no SMI, no enclave',
    f => f.bits('GUEST_INTERRUPTIBILITY_STATE', 2, 2) === 0n && f.bits('GUEST_INTERRUPTIBILITY_STATE', 4, 4) === 0n,
  ),
  guest(
    'an external interrupt is not blocked',
    f => injected(f)?.type !== 0 || f.bits('GUEST_INTERRUPTIBILITY_STATE', 1, 0) === 0n,
  ),
  guest(
    'an NMI is not blocked',
    f =>
      injected(f)?.type !== 2 ||
      (!f.bit('GUEST_INTERRUPTIBILITY_STATE', 1) && !(pin(f, 5) && f.bit('GUEST_INTERRUPTIBILITY_STATE', 3))),
  ),
  guest(
    'pending debug exceptions have no reserved bits',
    f => (f.get('GUEST_PENDING_DEBUG_EXCEPTIONS') & ~0x500fn) === 0n,
  ),
  guest('pending debug exceptions: BS is TF without BTF while events are held', f => {
    const isHeld = f.bits('GUEST_INTERRUPTIBILITY_STATE', 1, 0) !== 0n || f.get('GUEST_ACTIVITY_STATE') === 1n;
    return (
      !isHeld ||
      f.bit('GUEST_PENDING_DEBUG_EXCEPTIONS', 14) === (f.bit('GUEST_RFLAGS', 8) && !f.bit('GUEST_IA32_DEBUGCTL', 1))
    );
  }),
  guest('the link pointer names no VMCS, or one that fits', isLink),
  guest('PDPTEs that are present have no reserved bits', arePdptesFine),
];

function canWake(f: VmcsFacts): boolean {
  const event = injected(f);
  const state = f.get('GUEST_ACTIVITY_STATE');
  if (event === undefined || state === 0n) return true;
  const isHard = (...vectors: readonly number[]): boolean => event.type === 3 && vectors.includes(event.vector);
  if (state === 1n) return event.type === 0 || event.type === 2 || isHard(1, 18) || event.type === 7;
  return state === 2n && (event.type === 2 || isHard(18));
}

function isLink(f: VmcsFacts): boolean {
  const link = f.get('VMCS_LINK_POINTER');
  if (link === 0xffff_ffff_ffff_ffffn) return true;
  if (!isPage(f, link) || link === f.vmcsAddress) return false;
  const word = f.memory(link, 4);
  return (word & 0x7fff_ffffn) === (f.msr(0x480) & 0x7fff_ffffn) && word >> 31n === (secondary(f, 14) ? 1n : 0n);
}

function arePdptesFine(f: VmcsFacts): boolean {
  if (!f.bit('GUEST_CR0', PG) || !f.bit('GUEST_CR4', PAE) || isLongGuest(f)) return true;
  if (!hasEpt(f) && !fits(f, f.get('GUEST_CR3'))) return true;
  const table = f.get('GUEST_CR3') & 0xffff_ffe0n;
  return ([0, 1, 2, 3] as const).every(index => {
    const pdpte = hasEpt(f) ? f.get(`GUEST_PDPTE${index}`) : f.memory(table + 8n * BigInt(index), 8);
    return (pdpte & 1n) === 0n || ((pdpte & 0x1e6n) === 0n && fits(f, pdpte));
  });
}

export const GUEST_RULES: readonly Rule<VmcsFacts>[] = [...CONTROL_REGISTERS, ...SEGMENT_RULES, ...FLAGS_AND_STATE];
