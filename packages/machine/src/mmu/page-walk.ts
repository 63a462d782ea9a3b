// The page walk: from a linear address to a physical one through the guest's tables, with every check on the way.
// Nothing is written until all checks have passed; then the accessed bits, and for a write the dirty bit, are set.
// SDM vol. 3A, "Determination of Access Rights", "Page-Fault Exceptions", "Accessed and Dirty Flags".

import {fault, check, shown} from '../cpu/faults.js';
import type {NamedValue} from '../cpu/faults.js';
import type {Fault, Trouble} from '../cpu/trouble.js';
import type {Check, WalkReference} from '../observer.js';
import {
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_GLOBAL,
  PTE_LARGE,
  PTE_NO_EXECUTE,
  PTE_PRESENT,
  PTE_USER,
  PTE_WRITABLE,
  addressIn,
  largeAddressIn,
  levelsOf,
  reservedBits,
  rootOf,
} from './paging-structures.js';
import type {PagingFeatures, PagingLevel} from './paging-structures.js';
import type {PagingMode} from '../cpu/modes.js';

export type AccessKind = 'read' | 'write' | 'execute';
/** Whose rights count: the program's at CPL 3, at CPL 0 to 2, or the processor's own accesses to tables and stacks. */
export type Privilege = 'user' | 'supervisor' | 'implicit';

/** The control-register bits that decide about rights, when the walk starts. */
export interface PagingRules extends PagingFeatures {
  readonly mode: Exclude<PagingMode, 'none'>;
  readonly cr3: bigint;
  readonly writeProtect: boolean;
  readonly pageSizeExtensions: boolean;
  /** PAE paging: the four PDPTEs, where the processor holds them in registers. */
  readonly pointers?: readonly bigint[] | undefined;
  readonly globalPages: boolean;
  readonly smep: boolean;
  readonly smap: boolean;
  /** RFLAGS.AC, which suspends SMAP for explicit accesses. */
  readonly alignmentFlag: boolean;
}

/** How the walk reads and writes the tables: plainly, or through EPT. Both may leave the guest. */
export interface TableAccess {
  read(address: number, bytes: 4 | 8): bigint | Trouble;
  write(address: number, bytes: 4 | 8, value: bigint): Trouble | undefined;
}

export interface Translation {
  readonly kind: 'translation';
  /** Guest-physical address of the byte. */
  readonly address: number;
  readonly pageBits: number;
  readonly writable: boolean;
  readonly user: boolean;
  readonly noExecute: boolean;
  readonly dirty: boolean;
  readonly global: boolean;
}

interface Step {
  readonly at: PagingLevel;
  readonly address: number;
  readonly entry: bigint;
}

const SOURCE_RIGHTS = 'SDM vol. 3A, "Determination of Access Rights"';
const SOURCE_FAULT = 'SDM vol. 3A, "Page-Fault Exceptions"';

/** Walks the tables for one access. `references` collects what was read, where given. */
export function walkPageTables(
  linear: bigint,
  access: AccessKind,
  privilege: Privilege,
  rules: PagingRules,
  tables: TableAccess,
  references: WalkReference[] | undefined,
): Translation | Trouble {
  const checks: Check[] = [];
  const steps: Step[] = [];
  let table = rootOf(rules.mode, rules.cr3);
  for (const at of levelsOf(rules.mode)) {
    const index = Number((linear >> at.shift) & BigInt((1 << at.indexBits) - 1));
    const address = table + index * at.entryBytes;
    const entry = (at.isPointerOnly ? rules.pointers?.[index] : undefined) ?? tables.read(address, at.entryBytes);
    if (typeof entry !== 'bigint') return entry;
    references?.push({table: 'guest', level: at.level, address, entry});
    steps.push({at, address, entry});
    const names = [shown(at.name, entry), shown(`address of the ${at.name}`, address), shown('linear address', linear)];
    const present = (entry & PTE_PRESENT) !== 0n;
    checks.push(check(`${at.name}.P = 1`, present, names, SOURCE_FAULT));
    if (!present) return pageFault(linear, access, privilege, rules, checks, 0);
    const isLarge = isLargeEntry(at, entry, rules);
    const reserved = entry & reservedBitsFor(at, isLarge, rules);
    if (reserved !== 0n) {
      checks.push(
        check(
          `reserved bits of the ${at.name} = 0`,
          false,
          [shown(at.name, entry), shown('reserved bits set', reserved)],
          SOURCE_FAULT,
        ),
      );
      return pageFault(linear, access, privilege, rules, checks, 0x9);
    }
    if (isLarge || at.level === 1) return finish(linear, access, privilege, rules, tables, steps, checks);
    table = addressIn(entry);
  }
  return pageFault(linear, access, privilege, rules, checks, 0);
}

function isLargeEntry(at: PagingLevel, entry: bigint, rules: PagingRules): boolean {
  if (at.largeBits === undefined || (entry & PTE_LARGE) === 0n) return false;
  if (at.level === 3) return rules.gigabytePages;
  return at.entryBytes === 8 || rules.pageSizeExtensions;
}

function reservedBitsFor(at: PagingLevel, isLarge: boolean, rules: PagingRules): bigint {
  const bits = reservedBits(at, isLarge, rules);
  // In PAE paging bits 62:52 are reserved too, and PS means nothing in a PDPTE that has no large page.
  return rules.mode === 'PAE' && !at.isPointerOnly ? bits | (0x7ffn << 52n) : bits;
}

function finish(
  linear: bigint,
  access: AccessKind,
  privilege: Privilege,
  rules: PagingRules,
  tables: TableAccess,
  steps: readonly Step[],
  checks: Check[],
): Translation | Trouble {
  const withRights = steps.filter(step => !step.at.isPointerOnly);
  const rights = {
    user: withRights.every(step => (step.entry & PTE_USER) !== 0n),
    writable: withRights.every(step => (step.entry & PTE_WRITABLE) !== 0n),
    noExecute:
      rules.noExecute && rules.mode !== '32-bit' && withRights.some(step => (step.entry & PTE_NO_EXECUTE) !== 0n),
  };
  const denied = deniedBy(access, privilege, rights, rules);
  if (denied !== undefined) {
    const named = withRights.map(step => shown(step.at.name, step.entry));
    checks.push(
      check(denied.rule, false, [...denied.values, ...named, shown('linear address', linear)], SOURCE_RIGHTS),
    );
    return pageFault(linear, access, privilege, rules, checks, 1);
  }
  const trouble = markUsed(access, tables, withRights);
  if (trouble !== undefined) return trouble;
  return translationOf(linear, access, rules, steps, rights);
}

function translationOf(
  linear: bigint,
  access: AccessKind,
  rules: PagingRules,
  steps: readonly Step[],
  rights: {readonly user: boolean; readonly writable: boolean; readonly noExecute: boolean},
): Translation | Trouble {
  const leaf = steps[steps.length - 1];
  const entry = leaf?.entry ?? 0n;
  const pageBits = leaf === undefined || leaf.at.level === 1 ? 12 : (leaf.at.largeBits ?? 12);
  const page = pageBits === 12 ? addressIn(entry) : largeAddressIn(entry, pageBits);
  return {
    kind: 'translation',
    ...rights,
    pageBits,
    address: page + Number(BigInt.asUintN(pageBits, linear)),
    dirty: access === 'write' || (entry & PTE_DIRTY) !== 0n,
    global: rules.globalPages && (entry & PTE_GLOBAL) !== 0n,
  };
}

/** Sets A in every entry used and D in the last one for a write. Entries that already have them are not written. */
function markUsed(access: AccessKind, tables: TableAccess, steps: readonly Step[]): Trouble | undefined {
  for (const [index, step] of steps.entries()) {
    const isLeaf = index === steps.length - 1;
    const wanted = PTE_ACCESSED | (isLeaf && access === 'write' ? PTE_DIRTY : 0n);
    if ((step.entry & wanted) === wanted) continue;
    const trouble = tables.write(step.address, step.at.entryBytes, step.entry | wanted);
    if (trouble !== undefined) return trouble;
  }
  return undefined;
}

/** Rights of a page, as the AND over all levels gives them (and the OR, for XD). */
export interface PageRights {
  readonly user: boolean;
  readonly writable: boolean;
  readonly noExecute: boolean;
}

/** The rule that forbids an access; undefined when it is allowed. */
export function deniedBy(
  access: AccessKind,
  privilege: Privilege,
  rights: PageRights,
  rules: Pick<PagingRules, 'writeProtect' | 'smep' | 'smap' | 'alignmentFlag'>,
): {readonly rule: string; readonly values: readonly NamedValue[]} | undefined {
  const isUser = privilege === 'user';
  if (isUser && !rights.user)
    return {rule: 'U/S = 1 at every level (user access)', values: [['access', `${access} at CPL 3`]]};
  if (access === 'execute') {
    if (rights.noExecute)
      return {rule: 'XD = 0 at every level (instruction fetch)', values: [['access', 'instruction fetch']]};
    if (!isUser && rights.user && rules.smep)
      return {rule: 'U/S = 0 somewhere (supervisor fetch with CR4.SMEP = 1)', values: [['CR4.SMEP', '1']]};
    return undefined;
  }
  if (access === 'write' && !rights.writable && (isUser || rules.writeProtect)) {
    return {
      rule: 'R/W = 1 at every level (write)',
      values: [
        ['access', isUser ? 'write at CPL 3' : 'supervisor write'],
        ['CR0.WP', rules.writeProtect ? '1' : '0'],
      ],
    };
  }
  const smapSuspended = privilege === 'supervisor' && rules.alignmentFlag;
  if (!isUser && rights.user && rules.smap && !smapSuspended) {
    return {
      rule: 'U/S = 0 somewhere (supervisor access with CR4.SMAP = 1)',
      values: [
        ['CR4.SMAP', '1'],
        ['RFLAGS.AC', rules.alignmentFlag ? '1' : '0'],
      ],
    };
  }
  return undefined;
}

/** `protection` holds bit 0 (P) and bit 3 (RSVD) of the error code; SDM vol. 3A, "Page-Fault Error Code". */
function pageFault(
  linear: bigint,
  access: AccessKind,
  privilege: Privilege,
  rules: PagingRules,
  checks: readonly Check[],
  protection: number,
): Fault {
  const fetchIsTold = access === 'execute' && (rules.smep || (rules.noExecute && rules.mode !== '32-bit'));
  const errorCode =
    protection | (access === 'write' ? 2 : 0) | (privilege === 'user' ? 4 : 0) | (fetchIsTold ? 0x10 : 0);
  return fault('#PF', errorCode, checks, linear);
}
