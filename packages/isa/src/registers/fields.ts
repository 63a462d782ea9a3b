// The bit fields of the system registers, named, with one line each: what a view decodes and an explanation quotes.
// SDM vol. 1, "EFLAGS Register"; SDM vol. 3A, "Control Registers"; SDM vol. 3C, "Guest Register State" (access rights).

import type {Field} from '@hyperscope/base';

const flag = (name: string, at: number, meaning: string): Field => ({name, high: at, low: at, meaning});
const range = (name: string, high: number, low: number, meaning: string): Field => ({name, high, low, meaning});

export const RFLAGS_FIELDS: readonly Field[] = [
  flag('CF', 0, 'carry out of (or borrow into) the most significant bit'),
  flag('PF', 2, 'the low byte of the result has an even number of ones'),
  flag('AF', 4, 'carry out of (or borrow into) bit 3'),
  flag('ZF', 6, 'the result is zero'),
  flag('SF', 7, 'the result is negative'),
  flag('TF', 8, 'single step: a debug exception after each instruction'),
  flag('IF', 9, 'maskable interrupts are accepted'),
  flag('DF', 10, 'string instructions go downwards'),
  flag('OF', 11, 'the signed result does not fit'),
  range('IOPL', 13, 12, 'the highest CPL that may use CLI, STI and ports'),
  flag('NT', 14, 'this task was called by another one'),
  flag('RF', 16, 'instruction breakpoints are ignored for one instruction'),
  flag('VM', 17, 'virtual-8086 mode'),
  flag('AC', 18, 'alignment is checked at CPL 3; with SMAP: user pages may be touched'),
  flag('VIF', 19, 'virtual image of IF'),
  flag('VIP', 20, 'a virtual interrupt is pending'),
  flag('ID', 21, 'can be changed: CPUID exists'),
];

export const CR0_FIELDS: readonly Field[] = [
  flag('PE', 0, 'protected mode'),
  flag('MP', 1, 'WAIT honours TS'),
  flag('EM', 2, 'no x87: its instructions give #NM'),
  flag('TS', 3, 'the task was switched: the next x87 or SSE instruction gives #NM'),
  flag('ET', 4, 'always 1'),
  flag('NE', 5, 'x87 errors are exceptions, not interrupts'),
  flag('WP', 16, 'read-only pages are read-only for the supervisor too'),
  flag('AM', 18, 'RFLAGS.AC turns alignment checks on'),
  flag('NW', 29, 'not write-through'),
  flag('CD', 30, 'caches are disabled'),
  flag('PG', 31, 'paging'),
];

export const CR3_FIELDS: readonly Field[] = [
  flag('PWT', 3, 'write-through for the root of the page tables'),
  flag('PCD', 4, 'the root of the page tables is not cached'),
  range('base', 51, 12, 'physical page of the root of the page tables'),
];

export const CR4_FIELDS: readonly Field[] = [
  flag('VME', 0, 'virtual-8086 mode extensions'),
  flag('PVI', 1, 'protected-mode virtual interrupts'),
  flag('TSD', 2, 'RDTSC needs CPL 0'),
  flag('DE', 3, 'DR4 and DR5 do not exist; I/O breakpoints do'),
  flag('PSE', 4, '4 MiB pages in 32-bit paging'),
  flag('PAE', 5, 'page-table entries have 64 bits'),
  flag('MCE', 6, 'machine checks are exceptions'),
  flag('PGE', 7, 'global pages survive a load of CR3'),
  flag('PCE', 8, 'RDPMC at any CPL'),
  flag('OSFXSR', 9, 'the system saves SSE state'),
  flag('OSXMMEXCPT', 10, 'the system handles SSE exceptions'),
  flag('UMIP', 11, 'SGDT, SIDT, SLDT, SMSW and STR need CPL 0'),
  flag('LA57', 12, 'five levels of page tables'),
  flag('VMXE', 13, 'VMXON is allowed'),
  flag('SMXE', 14, 'GETSEC is allowed'),
  flag('FSGSBASE', 16, 'RDFSBASE and its kin are allowed'),
  flag('PCIDE', 17, 'address-space identifiers in CR3'),
  flag('OSXSAVE', 18, 'the system uses XSAVE'),
  flag('SMEP', 20, 'the supervisor may not execute user pages'),
  flag('SMAP', 21, 'the supervisor may not touch user pages unless RFLAGS.AC'),
  flag('PKE', 22, 'protection keys for user pages'),
  flag('CET', 23, 'control-flow enforcement'),
  flag('PKS', 24, 'protection keys for supervisor pages'),
];

export const EFER_FIELDS: readonly Field[] = [
  flag('SCE', 0, 'SYSCALL and SYSRET exist'),
  flag('LME', 8, 'turning paging on enters long mode'),
  flag('LMA', 10, 'long mode is active'),
  flag('NXE', 11, 'page-table entries can forbid execution'),
];

/** The format of the hidden attributes of a segment register, and of the VMCS access rights. */
export const ACCESS_RIGHTS_FIELDS: readonly Field[] = [
  range('type', 3, 0, 'code or data, direction, write or read permission, accessed; or the kind of a system segment'),
  flag('S', 4, 'code or data segment; 0: system segment'),
  range('DPL', 6, 5, 'descriptor privilege level'),
  flag('P', 7, 'present'),
  flag('AVL', 12, 'available to software'),
  flag('L', 13, '64-bit code segment'),
  flag('D/B', 14, '32-bit segment; 0: 16-bit'),
  flag('G', 15, 'the limit counts 4 KiB units'),
  flag('unusable', 16, 'the register holds no segment'),
];

/** The fields of a cell by its name (registers/cells.ts); none for plain values. */
export function fieldsOf(cell: string): readonly Field[] {
  if (cell.endsWith('.attributes')) return ACCESS_RIGHTS_FIELDS;
  return FIELDS.get(cell) ?? [];
}

const FIELDS: ReadonlyMap<string, readonly Field[]> = new Map([
  ['RFLAGS', RFLAGS_FIELDS],
  ['CR0', CR0_FIELDS],
  ['CR3', CR3_FIELDS],
  ['CR4', CR4_FIELDS],
  ['EFER', EFER_FIELDS],
]);
