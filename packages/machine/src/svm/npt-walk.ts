// Nested paging: guest-physical to host-physical through ordinary page tables, in the paging mode that the host had at VMRUN.
// Every access of the guest counts as a user access there, and reading a guest page table counts as a write.
// APM vol. 2, "Nested Paging"; the exit: "Nested versus Guest Page Faults, Fault Ordering":
//
//   EXITINFO1   0 P · 1 W · 2 U · 3 RSV · 4 I/D · 32 final translation · 33 while walking the guest's tables

import {hpa} from '@hyperscope/base';
import type {Gpa, Hpa} from '@hyperscope/base';
import type {Core, GuestPhysicalAccess} from '../cpu/core.js';
import {CR4_PAE, CR4_PSE, EFER_LMA, EFER_NXE} from '../cpu/modes.js';
import {walkPageTables} from '../mmu/page-walk.js';
import type {PagingRules, TableAccess} from '../mmu/page-walk.js';
import type {VmExitInformation, WalkReference} from '../observer.js';
import {SVM_EXIT} from '@hyperscope/isa';
import {svmExit} from './exit.js';
import {hostPaging} from './host-state.js';

const FINAL = 1n << 32n;
const IN_GUEST_TABLES = 1n << 33n;

/** The rules of the nested walk: those of the host's paging, with everything that is about rings left out. */
function nestedRules(core: Core, root: bigint): PagingRules {
  const host = hostPaging(core);
  const long = (host.efer & BigInt(EFER_LMA)) !== 0n;
  const pae = (host.cr4 & BigInt(CR4_PAE)) !== 0n;
  return {
    mode: long ? '4-level' : pae ? 'PAE' : '32-bit',
    cr3: root,
    physicalAddressBits: core.profile.physicalAddressBits,
    pse36: false,
    gigabytePages: core.features.gigabytePages,
    noExecute: (host.efer & BigInt(EFER_NXE)) !== 0n,
    pageSizeExtensions: (host.cr4 & BigInt(CR4_PSE)) !== 0n,
    globalPages: false,
    writeProtect: true,
    smep: false,
    smap: false,
    alignmentFlag: false,
  };
}

export function walkNestedTables(
  core: Core,
  root: bigint,
  address: Gpa,
  access: GuestPhysicalAccess,
  references: WalkReference[] | undefined,
): Hpa | VmExitInformation {
  const own: WalkReference[] | undefined = references === undefined ? undefined : [];
  const kind = access.purpose === 'paging-structure' ? 'write' : access.kind;
  const found = walkPageTables(BigInt(address), kind, 'user', nestedRules(core, root), tablesOf(core), own);
  references?.push(...(own ?? []).map(reference => ({...reference, table: 'npt' as const})));
  if (found.kind === 'translation') return hpa(found.address);
  const errorCode = found.kind === 'fault' ? (found.errorCode ?? 0) : 0;
  const where = access.purpose === 'paging-structure' ? IN_GUEST_TABLES : FINAL;
  return svmExit(SVM_EXIT.NPF, core.instructionRip, found.kind === 'fault' ? found.checks : [], {
    info1: BigInt(errorCode) | where,
    info2: BigInt(address),
    guestPhysicalAddress: address,
    guestLinearAddress: access.linear,
  });
}

function tablesOf(core: Core): TableAccess {
  return {
    read: (address, bytes) => core.memory.read(hpa(address), bytes),
    write: (address, bytes, value) => {
      core.memory.write(hpa(address), bytes, value);
      return undefined;
    },
  };
}
