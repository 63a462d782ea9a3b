// What a shadow page is for, beside the guest table that it shadows: two pages with the same guest frame and different roles
// mean different things. union kvm_mmu_page_role; Linux, Documentation/virt/kvm/x86/mmu.rst, "Shadow pages".
//
//   31…24  23 22      21 20     19 18    17       16   15    14    13      12 11      10 9  8  7  6       5 4        2…0
//   0      hardware   guest     view     window   PSE  SMAP  SMEP  CR0.WP  NXE        access   direct…    quadrant   level

import type {GuestPaging, ShadowHardware} from './ports.js';

/** Rights as KVM counts them: what every table above allows. */
export const ACC_EXEC = 1;
export const ACC_WRITE = 2;
export const ACC_USER = 4;
export const ACC_ALL = 7;

export type GuestFormat = 'none' | '32-bit' | 'PAE' | '4-level';
/** 'single': the hardware tells kernel from user by itself; else whose half of two. */
export type View = 'single' | 'kernel' | 'user';
/**
 * What the entries come from: a guest table; a stretch of guest-physical addresses (paging off, or a large page); or neither,
 * because the guest's format has no table of this level (a PDPTE register, a hardware level above the guest's root).
 */
export type Source = 'table' | 'direct' | 'passthrough';

/** The part of a role that the guest's mode and the hardware's decide: the same for all pages of a root. */
export interface ModeRole {
  readonly hardware: ShadowHardware['format'];
  readonly guest: GuestFormat;
  readonly view: View;
  readonly pageSizeExtensions: boolean;
  readonly smap: boolean;
  readonly smep: boolean;
  readonly writeProtect: boolean;
  readonly noExecute: boolean;
}

export interface ShadowRole extends ModeRole {
  readonly level: number;
  /** Which part of a guest table of 1024 entries the 512 shadow entries stand for. */
  readonly quadrant: number;
  readonly source: Source;
  /** The rights that the guest's tables above allow. */
  readonly access: number;
  /** The hypervisor's window lies in the stretch of linear addresses that this page is for. */
  readonly window: boolean;
}

const HARDWARE = ['4-level', 'PAE', '32-bit'] as const;
const GUEST = ['none', '32-bit', 'PAE', '4-level'] as const;
const VIEWS = ['single', 'kernel', 'user'] as const;
const SOURCES = ['table', 'direct', 'passthrough'] as const;
const flag = (value: boolean, at: number): number => (value ? 1 << at : 0);

/** The role as a number below 2^24: what the header of a shadow page keeps. */
export function packRole(role: ShadowRole): number {
  return (
    role.level |
    (role.quadrant << 3) |
    (SOURCES.indexOf(role.source) << 5) |
    (role.access << 8) |
    flag(role.noExecute, 11) |
    flag(role.writeProtect, 13) |
    flag(role.smep, 14) |
    flag(role.smap, 15) |
    flag(role.pageSizeExtensions, 16) |
    flag(role.window, 17) |
    (VIEWS.indexOf(role.view) << 18) |
    (GUEST.indexOf(role.guest) << 20) |
    (HARDWARE.indexOf(role.hardware) << 22)
  );
}

/** Which format the entries of a page with this role have. */
export const hardwareOf = (packed: number): ShadowHardware['format'] => HARDWARE[(packed >>> 22) & 3] ?? '4-level';

export function unpackRole(packed: number): ShadowRole {
  const has = (at: number): boolean => ((packed >>> at) & 1) === 1;
  return {
    level: packed & 7,
    quadrant: (packed >>> 3) & 3,
    source: SOURCES[(packed >>> 5) & 3] ?? 'table',
    access: (packed >>> 8) & ACC_ALL,
    noExecute: has(11),
    writeProtect: has(13),
    smep: has(14),
    smap: has(15),
    pageSizeExtensions: has(16),
    window: has(17),
    view: VIEWS[(packed >>> 18) & 3] ?? 'single',
    guest: GUEST[(packed >>> 20) & 3] ?? 'none',
    hardware: hardwareOf(packed),
  };
}

const CR0_WP = 1n << 16n;
const CR0_PG = 1n << 31n;
const CR4_PSE = 1n << 4n;
const CR4_PAE = 1n << 5n;
const CR4_SMEP = 1n << 20n;
const CR4_SMAP = 1n << 21n;
const EFER_LMA = 1n << 10n;
const EFER_NXE = 1n << 11n;

/** Which tables the guest's registers ask for. SDM vol. 3A, "Four Paging Modes". */
export function guestFormatOf({cr0, cr4, efer}: GuestPaging): GuestFormat {
  if ((cr0 & CR0_PG) === 0n) return 'none';
  if ((cr4 & CR4_PAE) === 0n) return '32-bit';
  return (efer & EFER_LMA) === 0n ? 'PAE' : '4-level';
}

/** The guest's mode as a role. With paging off its other bits mean nothing, so that they make no second role. */
export function modeRoleOf(paging: GuestPaging, hardware: ShadowHardware, user: 'kernel' | 'user'): ModeRole {
  const guest = guestFormatOf(paging);
  const pages = guest !== 'none';
  return {
    hardware: hardware.format,
    guest,
    view: hardware.views === 1 ? 'single' : user,
    pageSizeExtensions: guest === '32-bit' && (paging.cr4 & CR4_PSE) !== 0n,
    smap: pages && (paging.cr4 & CR4_SMAP) !== 0n,
    smep: pages && (paging.cr4 & CR4_SMEP) !== 0n,
    writeProtect: pages && (paging.cr0 & CR0_WP) !== 0n,
    noExecute: pages && guest !== '32-bit' && (paging.efer & EFER_NXE) !== 0n,
  };
}

/** The role in words, for sentences: 'level 1, u-x, quadrant 1'. */
export function roleWords(role: ShadowRole): string {
  const rights = `${role.access & ACC_USER ? 'u' : '-'}${role.access & ACC_WRITE ? 'w' : '-'}${role.access & ACC_EXEC ? 'x' : '-'}`;
  const words = [`level ${role.level}`];
  if (role.source === 'direct') words.push('direct');
  if (role.source === 'passthrough') words.push('no guest table of this level');
  words.push(rights);
  if (role.guest === '32-bit' && role.hardware !== '32-bit' && role.source === 'table')
    words.push(`quadrant ${role.quadrant}`);
  if (role.guest !== 'none' && !role.writeProtect) words.push('CR0.WP = 0');
  if (role.view !== 'single') words.push(`${role.view} view`);
  return words.join(', ');
}
