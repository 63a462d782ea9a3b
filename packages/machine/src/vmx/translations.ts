// Whose translations the TLB holds: the tags under which a guest's are kept, and what VM entries, VM exits, INVVPID and INVEPT
// forget. Without VPID a guest shares the tag 0 with its host, so that every entry and exit has to forget all of it.
// SDM vol. 3C, "Caching Translation Information", "Operations that Invalidate Cached Mappings".

import type {Core} from '../cpu/core.js';
import {CR4_PCIDE, low} from '../cpu/modes.js';
import {CR3, CR4} from '../cpu/cell-indexes.js';
import {NO_PCID} from '../mmu/tlb.js';
import type {Controls} from './controls.js';

const HOST = 0;
const PCID = 0xfffn;

/** The page that an EPT pointer names as root: its bits N−1:12. */
const rootOf = (eptPointer: bigint): number => Number(BigInt.asUintN(52, eptPointer) >> 12n);

const identifierOf = (controls: Controls): number =>
  controls.secondary('enable VPID') ? Number(controls.vmcs.get('VPID')) : HOST;

/** The PCID of the context whose CR3 and CR4 are loaded. */
export function currentPcid(core: Core): number {
  const hasPcids = (low(core.registers, CR4) & CR4_PCIDE) !== 0;
  return hasPcids ? Number((core.registers.cells[CR3] ?? 0n) & PCID) : NO_PCID;
}

/** After a VM entry has loaded the guest's control registers. */
export function enterGuestTranslations(core: Core, controls: Controls): void {
  const identifier = identifierOf(controls);
  if (identifier === HOST) core.tlb.flushIdentifier(HOST, 'global pages too');
  const root = controls.usesEpt ? rootOf(controls.eptPointer) : undefined;
  core.tlb.enterContext({identifier, root}, currentPcid(core));
}

/** After a VM exit (or an entry that failed late) has loaded the host's. */
export function leaveGuestTranslations(core: Core, controls: Controls): void {
  core.tlb.enterContext({identifier: HOST, root: undefined}, currentPcid(core));
  if (identifierOf(controls) === HOST) core.tlb.flushIdentifier(HOST, 'global pages too');
}

/** INVEPT: 1 the mappings of one EPT pointer, 2 all that went through EPT. */
export function forgetEptMappings(core: Core, type: bigint, eptPointer: bigint): void {
  core.tlb.flushRoot(type === 1n ? rootOf(eptPointer) : 'every');
}

/** INVVPID: 0 an address, 1 a VPID, 2 all but 0, 3 a VPID without its global pages. */
export function forgetVpidMappings(core: Core, type: bigint, vpid: bigint, linear: bigint): void {
  const identifier = Number(vpid);
  if (type === 0n) core.tlb.flushPageOfIdentifier(identifier, linear);
  else if (type === 2n) core.tlb.flushGuests();
  else core.tlb.flushIdentifier(identifier, type === 1n ? 'global pages too' : 'not global pages');
}
