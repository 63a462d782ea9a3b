// The walk of the guest's own page tables, GVA → GPA, as the guest's processor would make it: the same rules, the same error
// codes, the same A and D bits. It decides between a hidden and a true fault. Linux, arch/x86/kvm/mmu/paging_tmpl.h.

import {assert, gpa, hex, hpa} from '@hyperscope/base';
import {walkPageTables} from '@hyperscope/machine';
import type {PagingRules, TableAccess, WalkReference} from '@hyperscope/machine';
import type {GuestAccess, GuestPaging, GuestPagingFeatures, ShadowHost} from './ports.js';
import {ACC_ALL, ACC_EXEC, ACC_USER, ACC_WRITE, guestFormatOf} from './shadow-role.js';
import type {GuestFormat, ModeRole} from './shadow-role.js';

const PAGE = 4096;
const WRITABLE = 2n;
const USER = 4n;
const ACCESSED = 0x20n;
const DIRTY = 0x40n;
const NO_EXECUTE = 1n << 63n;

/** One guest table on the way, and the rights that the entries above it gave. */
export interface GuestTable {
  readonly level: number;
  readonly gfn: number;
  readonly access: number;
}

/** What the guest's tables say about an address. */
export interface GuestTranslation {
  readonly kind: 'translation';
  readonly gpa: number;
  /** The level of the entry that maps the page: 1 for 4 KiB; 0 with paging off. */
  readonly leafLevel: number;
  readonly tables: readonly GuestTable[];
  readonly access: number;
  readonly dirty: boolean;
}

/** The guest's own tables refuse: #PF. `why` names the rule that was broken. */
export interface GuestFault {
  readonly kind: 'fault';
  readonly errorCode: number;
  readonly why: string;
}

/** A bit that the walk set in an entry of the guest. */
export interface MarkedEntry {
  readonly gpa: number;
  readonly bit: 'accessed' | 'dirty';
  readonly entry: bigint;
}

export const guestEntryBytes = (format: GuestFormat): 4 | 8 => (format === '32-bit' ? 4 : 8);

/** Guest memory for a walk. Where there is none the bus gives ones, as it does to a processor; writes there are lost. */
export function readGuestEntry(host: ShadowHost, address: number, bytes: 4 | 8): bigint {
  const backing = host.backing(gpa(address - (address % PAGE)));
  if (backing.kind === 'device') return (1n << BigInt(bytes * 8)) - 1n;
  return host.read(hpa(backing.host + (address % PAGE)), bytes);
}

/** `rights` of one entry as KVM counts them. */
export function accessIn(entry: bigint, noExecute: boolean): number {
  return (
    ((entry & WRITABLE) === 0n ? 0 : ACC_WRITE) |
    ((entry & USER) === 0n ? 0 : ACC_USER) |
    (noExecute && (entry & NO_EXECUTE) !== 0n ? 0 : ACC_EXEC)
  );
}

/** Whether an entry of level 1 has bits set that must be 0. */
export function hasReservedBits(
  entry: bigint,
  {guest, noExecute}: Pick<ModeRole, 'guest' | 'noExecute'>,
  {physicalAddressBits}: GuestPagingFeatures,
): boolean {
  if (guest === '32-bit') return false;
  const beyond = ((1n << 52n) - 1n) & ~((1n << BigInt(physicalAddressBits)) - 1n);
  const mustBeZero = beyond | (noExecute ? 0n : NO_EXECUTE) | (guest === 'PAE' ? 0x7ffn << 52n : 0n);
  return (entry & mustBeZero) !== 0n;
}

/** The bits of control registers that a walk of the guest goes by. */
export function pagingRules(paging: GuestPaging, features: GuestPagingFeatures, ac: boolean): PagingRules | undefined {
  const mode = guestFormatOf(paging);
  if (mode === 'none') return undefined;
  const has = (register: bigint, at: bigint): boolean => ((register >> at) & 1n) === 1n;
  return {
    ...features,
    mode,
    cr3: paging.cr3,
    writeProtect: has(paging.cr0, 16n),
    pageSizeExtensions: has(paging.cr4, 4n),
    globalPages: has(paging.cr4, 7n),
    smep: has(paging.cr4, 20n),
    smap: has(paging.cr4, 21n),
    noExecute: has(paging.efer, 11n),
    alignmentFlag: ac,
    pointers: mode === 'PAE' ? paging.pdptes : undefined,
  };
}

/** Walks for an access; `marked` is told of every A and D bit that the walk set in the guest's tables. */
export function walkGuest(
  host: ShadowHost,
  features: GuestPagingFeatures,
  access: GuestAccess,
  marked: (entry: MarkedEntry) => void,
): GuestTranslation | GuestFault {
  const paging = host.paging();
  const rules = pagingRules(paging, features, access.ac);
  const linear = access.linear;
  if (rules === undefined)
    return {
      kind: 'translation',
      gpa: Number(BigInt.asUintN(32, linear)),
      leafLevel: 0,
      tables: [],
      access: ACC_ALL,
      dirty: true,
    };
  const references: WalkReference[] = [];
  const kind = access.kind === 'fetch' ? 'execute' : access.kind;
  const walked = walkPageTables(linear, kind, access.privilege, rules, tableAccess(host, marked), references);
  if (walked.kind === 'fault')
    return {kind: 'fault', errorCode: walked.errorCode ?? 0, why: brokenRule(walked.checks.at(-1), references)};
  assert(walked.kind === 'translation', 'a walk of plain memory ends in a translation or in a fault');
  const tables = tablesOf(references, rules);
  return {
    kind: 'translation',
    gpa: walked.address,
    leafLevel: references.at(-1)?.level ?? 1,
    tables,
    access: (walked.user ? ACC_USER : 0) | (walked.writable ? ACC_WRITE : 0) | (walked.noExecute ? 0 : ACC_EXEC),
    dirty: walked.dirty,
  };
}

function tableAccess(host: ShadowHost, marked: (entry: MarkedEntry) => void): TableAccess {
  return {
    read: (address, bytes) => readGuestEntry(host, address, bytes),
    write: (address, bytes, value) => {
      const backing = host.backing(gpa(address - (address % PAGE)));
      if (backing.kind !== 'ram') return undefined;
      const at = hpa(backing.host + (address % PAGE));
      const before = host.read(at, bytes);
      host.write(at, bytes, value);
      if ((value & ~before & ACCESSED) !== 0n) marked({gpa: address, bit: 'accessed', entry: value});
      if ((value & ~before & DIRTY) !== 0n) marked({gpa: address, bit: 'dirty', entry: value});
      return undefined;
    },
  };
}

/** Each table with the rights of the entries above it. The PDPTEs of PAE paging lie in registers and have no rights. */
function tablesOf(references: readonly WalkReference[], rules: PagingRules): readonly GuestTable[] {
  const noExecute = rules.noExecute && rules.mode !== '32-bit';
  const tables: GuestTable[] = [];
  let access = ACC_ALL;
  for (const {level, address, entry} of references) {
    if (rules.mode === 'PAE' && level === 3) continue;
    tables.push({level, gfn: Math.floor(address / PAGE), access});
    access &= accessIn(entry, noExecute);
  }
  return tables;
}

function brokenRule(check: {readonly rule: string} | undefined, references: readonly WalkReference[]): string {
  const last = references.at(-1);
  const entry = last === undefined ? '' : `; the last entry read is ${hex(last.entry)} at GPA ${hex(last.address)}`;
  return `the guest’s own tables refuse: “${check?.rule ?? 'present'}” does not hold${entry}`;
}
