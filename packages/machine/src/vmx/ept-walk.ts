// The extended page tables: guest-physical to host-physical, four levels of 512 entries.
// SDM vol. 3C, "The Extended Page Table Mechanism (EPT)". There is no present bit: an entry is present if any of R, W, X is 1.
//
//   0 R · 1 W · 2 X · 5:3 memory type (leaf) · 6 ignore PAT (leaf) · 7 leaf at levels 3 and 2 · 8 A · 9 D (leaf) · 51:12 address

import {hex, hpa} from '@hyperscope/base';
import type {Gpa, Hpa} from '@hyperscope/base';
import type {Core, GuestPhysicalAccess} from '../cpu/core.js';
import {check} from '../cpu/faults.js';
import type {Check, VmExitInformation, WalkReference} from '../observer.js';
import {EPT_VPID, capabilitiesOf} from './capabilities.js';
import {exitInformation} from './exit-information.js';

const R = 1n;
const W = 2n;
const X = 4n;
const RWX = 7n;
const LEAF = 1n << 7n;
const ACCESSED = 1n << 8n;
const DIRTY = 1n << 9n;
const USES_ACCESSED_DIRTY = 1n << 6n;
const ADDRESS = 0xf_ffff_ffff_f000n;
const LEVEL_NAMES = ['', 'EPT PTE', 'EPT PDE', 'EPT PDPTE', 'EPT PML4E'] as const;
const SOURCE = 'SDM vol. 3C, "EPT-Induced VM Exits"';

const PERMISSION = {read: R, write: W, execute: X} as const;
const LETTER = {read: 'R', write: 'W', execute: 'X'} as const;

interface Found {
  readonly level: number;
  readonly address: number;
  readonly entry: bigint;
}

/** Walks the tables of `eptPointer`. Everything that was read goes into `references`, where given. */
export function walkEpt(
  core: Core,
  eptPointer: bigint,
  address: Gpa,
  access: GuestPhysicalAccess,
  references: WalkReference[] | undefined,
): Hpa | VmExitInformation {
  const flags = (eptPointer & USES_ACCESSED_DIRTY) !== 0n;
  let table = Number(eptPointer & ADDRESS);
  let permissions = RWX;
  const path: Found[] = [];
  for (let level = 4; level >= 1; level--) {
    const at = table + indexAt(address, level) * 8;
    const entry = core.memory.read(hpa(at), 8);
    references?.push({table: 'ept', level, address: at, entry});
    path.push({level, address: at, entry});
    if ((entry & RWX) === 0n) return violation(core, address, access, 0n, notPresent(level, entry), flags);
    const malformed = misconfiguration(core, level, entry);
    if (malformed !== undefined) return misconfigured(core, address, access, malformed);
    permissions &= entry;
    if (level === 1 || (entry & LEAF) !== 0n) return finish(core, address, access, permissions, path, flags);
    table = Number(entry & ADDRESS);
  }
  return violation(core, address, access, 0n, notPresent(1, 0n), flags);
}

const indexAt = (address: number, level: number): number => Math.floor(address / 2 ** (12 + 9 * (level - 1))) % 512;

function finish(
  core: Core,
  address: Gpa,
  access: GuestPhysicalAccess,
  permissions: bigint,
  path: readonly Found[],
  flags: boolean,
): Hpa | VmExitInformation {
  const needed = neededPermissions(access, flags);
  if ((permissions & needed) !== needed)
    return violation(core, address, access, permissions, denied(access, permissions), flags);
  if (flags) setFlags(core, path, (needed & W) !== 0n ? 'dirty' : 'accessed');
  const leaf = path[path.length - 1];
  const size = 2 ** (12 + 9 * ((leaf?.level ?? 1) - 1));
  const base = Number((leaf?.entry ?? 0n) & ADDRESS);
  return hpa(base - (base % size) + (address % size));
}

/** With accessed and dirty flags, reading a guest paging structure counts as a write (SDM vol. 3C, "Accessed and Dirty Flags for EPT"). */
function neededPermissions(access: GuestPhysicalAccess, flags: boolean): bigint {
  return access.purpose === 'paging-structure' && flags ? R | W : PERMISSION[access.kind];
}

function setFlags(core: Core, path: readonly Found[], what: 'accessed' | 'dirty'): void {
  for (const [index, {address, entry}] of path.entries()) {
    const wanted = index === path.length - 1 && what === 'dirty' ? ACCESSED | DIRTY : ACCESSED;
    if ((entry & wanted) !== wanted) core.memory.write(hpa(address), 8, entry | wanted);
  }
}

/** Why an entry is malformed, or undefined (SDM vol. 3C, "EPT Misconfigurations"). */
function misconfiguration(core: Core, level: number, entry: bigint): Check | undefined {
  const values = [[LEVEL_NAMES[level] ?? 'entry', hex(entry)]] as const;
  const bad = (rule: string): Check => check(rule, false, values, SOURCE);
  if ((entry & R) === 0n && (entry & W) !== 0n) return bad('an entry that allows writing allows reading');
  if ((entry & ADDRESS) >> BigInt(core.profile.physicalAddressBits) !== 0n)
    return bad('the address in an entry lies inside the physical-address width');
  const leaf = level === 1 || (level <= 3 && (entry & LEAF) !== 0n);
  if (!leaf)
    return (entry & (level === 4 ? 0xf8n : 0x78n)) === 0n
      ? undefined
      : bad('reserved bits of an entry that names a table are 0');
  if (level === 3 && !hasGigabytePages(core))
    return bad('1 GiB pages exist only where IA32_VMX_EPT_VPID_CAP announces them');
  const type = (entry >> 3n) & 7n;
  if (type === 2n || type === 3n || type === 7n) return bad('the memory type of a leaf is UC, WC, WT, WP or WB');
  const low = level === 3 ? 0x3fff_f000n : level === 2 ? 0x1f_f000n : 0n;
  return (entry & low) === 0n ? undefined : bad('the address bits below a large page are 0');
}

const hasGigabytePages = ({profile}: Core): boolean =>
  ((capabilitiesOf(profile).eptVpid >> BigInt(EPT_VPID.pages1G)) & 1n) === 1n;

const notPresent = (level: number, entry: bigint): Check =>
  check(
    `the ${LEVEL_NAMES[level] ?? 'entry'} is present (one of R, W, X is 1)`,
    false,
    [[LEVEL_NAMES[level] ?? 'entry', hex(entry)]],
    SOURCE,
  );
const denied = (access: GuestPhysicalAccess, permissions: bigint): Check =>
  check(
    `every level of the walk has ${LETTER[access.kind]} = 1`,
    false,
    [['R W X over all levels', permissions.toString(2).padStart(3, '0').split('').reverse().join(' ')]],
    SOURCE,
  );

/** SDM vol. 3C, "Exit Qualification for EPT Violations". */
function violation(
  core: Core,
  address: Gpa,
  access: GuestPhysicalAccess,
  permissions: bigint,
  decisive: Check,
  flags: boolean,
): VmExitInformation {
  const kind = access.purpose === 'paging-structure' && flags ? R | W : PERMISSION[access.kind];
  const translation = access.purpose === 'translation' ? 1n << 8n : 0n;
  // What led here is forgotten, so that a hypervisor which mends the tables need not (SDM vol. 3C, "Operations that Invalidate
  // Cached Mappings").
  core.tlb.forgetPage(access.linear);
  return exitInformation(
    'EPT_VIOLATION',
    core.instructionRip,
    [
      check(
        `guest-physical address ${hex(address)} goes through EPT (enable EPT = 1)`,
        true,
        [
          ['purpose', access.purpose],
          ['access', access.kind],
        ],
        SOURCE,
      ),
      decisive,
    ],
    {
      qualification: kind | ((permissions & RWX) << 3n) | (1n << 7n) | translation,
      guestLinearAddress: access.linear,
      guestPhysicalAddress: address,
    },
  );
}

function misconfigured(core: Core, address: Gpa, access: GuestPhysicalAccess, why: Check): VmExitInformation {
  return exitInformation('EPT_MISCONFIGURATION', core.instructionRip, [why], {
    guestLinearAddress: access.linear,
    guestPhysicalAddress: address,
  });
}
