// Which shadow page stands at each level of the way to a linear address: the guest table that it shadows, or the stretch of
// guest-physical memory, and its role. Linux, Documentation/virt/kvm/x86/mmu.rst, "Shadow pages".
//
//   guest 32-bit, hardware with 8-byte entries      a large guest page, or no guest table at all
//   PD  1024 × 4 MiB → 4 shadow PDs (quadrants)     role.direct: the table maps guest-physical memory in one stretch
//   PT  1024 × 4 KiB → 2 shadow PTs (quadrants)

import {assert} from '@hyperscope/base';
import type {GuestPaging, HypervisorWindow} from './ports.js';
import type {GuestTranslation} from './guest-walk.js';
import {guestEntryBytes} from './guest-walk.js';
import {entriesOf, indexAt, tableShift, topLevel} from './shadow-format.js';
import {ACC_ALL} from './shadow-role.js';
import type {GuestFormat, ModeRole, ShadowRole} from './shadow-role.js';

/** What identifies a shadow page. */
export interface ShadowKey {
  readonly gfn: number;
  readonly role: ShadowRole;
}

/** The level of the guest's topmost table; PDPTE registers are no table. */
const guestTop = (guest: GuestFormat): number => (guest === '4-level' ? 4 : guest === 'none' ? 0 : 2);

/** Where the guest's root lies: a frame, or 32-byte units where its CR3 has them. */
function rootFrame(mode: ModeRole, {cr3}: GuestPaging): number {
  if (mode.guest === 'none') return 0;
  if (mode.guest === '4-level') return Number((cr3 & 0x000f_ffff_ffff_f000n) >> 12n);
  return mode.guest === '32-bit' ? Number((cr3 & 0xffff_f000n) >> 12n) : Number((cr3 & 0xffff_ffe0n) >> 5n);
}

/** 32-bit tables have neither XD nor addresses beyond 4 GiB, and no format has fewer levels than what it shadows. */
const canShadow = ({hardware, guest}: ModeRole): boolean =>
  guestTop(guest) <= topLevel(hardware) && (hardware !== '32-bit' || guest !== 'PAE');

/** The root for the guest's present registers. */
export function rootKey(mode: ModeRole, paging: GuestPaging, window: HypervisorWindow | undefined): ShadowKey {
  const level = topLevel(mode.hardware);
  assert(canShadow(mode), 'the hardware’s format of page tables can shadow the guest’s');
  const source = mode.guest === 'none' ? 'direct' : level === guestTop(mode.guest) ? 'table' : 'passthrough';
  const role: ShadowRole = {...mode, level, quadrant: 0, source, access: ACC_ALL, window: window !== undefined};
  return {gfn: rootFrame(mode, paging), role};
}

/** The page below `parent` at a linear address, where the guest's tables are as `translation` found them. */
export function childKey(
  parent: ShadowKey,
  linear: bigint,
  translation: GuestTranslation,
  access: number,
  window: HypervisorWindow | undefined,
): ShadowKey {
  const {role} = parent;
  const level = role.level - 1;
  const base = {...role, level, quadrant: 0, window: holdsWindow(parent, linear, window)};
  if (translation.leafLevel === 0 || level < translation.leafLevel)
    return {gfn: directFrame(role, level, translation.gpa), role: {...base, source: 'direct', access}};
  const table = translation.tables.find(candidate => candidate.level === level);
  if (table === undefined) return {gfn: parent.gfn, role: {...base, source: 'passthrough', access: ACC_ALL}};
  const quadrant = quadrantAt(role, level, linear);
  return {gfn: table.gfn, role: {...base, source: 'table', quadrant, access: table.access}};
}

/** A page that maps nothing of the guest, on the way to the hypervisor's window. */
export function windowKey(parent: ShadowKey): ShadowKey {
  const role: ShadowRole = {
    ...parent.role,
    level: parent.role.level - 1,
    quadrant: 0,
    source: 'passthrough',
    access: 0,
    window: true,
  };
  return {gfn: parent.gfn, role};
}

/** The first frame of the stretch that a direct page maps. */
function directFrame(role: ShadowRole, level: number, gpa: number): number {
  const stretch = 2 ** (tableShift(role.hardware, level) - 12);
  const frame = Math.floor(gpa / 4096);
  return frame - (frame % stretch);
}

function quadrantAt(role: ModeRole, level: number, linear: bigint): number {
  if (role.guest !== '32-bit' || role.hardware === '32-bit') return 0;
  return level === 2 ? Number((linear >> 30n) & 3n) : Number((linear >> 21n) & 1n);
}

function holdsWindow({role}: ShadowKey, linear: bigint, window: HypervisorWindow | undefined): boolean {
  if (window === undefined || !role.window || role.level <= 2) return false;
  return indexAt(role.hardware, role.level, linear) === indexAt(role.hardware, role.level, window.linear);
}

/** The index in the guest's table that a shadow entry stands for. */
export function guestIndex(role: ShadowRole, index: number): number {
  const entries = entriesOf(role.hardware, role.level);
  const at = role.quadrant * entries + index;
  return role.guest === '32-bit' && role.hardware !== '32-bit' && role.level === 2 ? at >> 1 : at;
}

/** The guest-physical address of the entry that a shadow entry stands for. */
export function guestEntryAddress({gfn, role}: ShadowKey, index: number): number {
  return gfn * 4096 + guestIndex(role, index) * guestEntryBytes(role.guest);
}

/** The shadow entries that stand for guest entries of which bytes `offset` to `offset + bytes - 1` of the table changed. */
export function entriesWritten(role: ShadowRole, offset: number, bytes: number): readonly number[] {
  const size = guestEntryBytes(role.guest);
  const first = Math.floor(offset / size);
  const last = Math.floor((offset + bytes - 1) / size);
  const found: number[] = [];
  for (let index = 0; index < entriesOf(role.hardware, role.level); index++) {
    const at = guestIndex(role, index);
    if (at >= first && at <= last) found.push(index);
  }
  return found;
}
