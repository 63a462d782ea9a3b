// ASIDs: the tag under which the TLB keeps a guest's translations, so that neither VMRUN nor #VMEXIT has to forget any. What a
// hypervisor wants forgotten it says in TLB_CONTROL, or by INVLPGA. Nested paging has no tag of its own: a guest that gets other
// nested tables needs another ASID or a flush. APM vol. 2, "TLB Control":
//
//   TLB_CONTROL   0 nothing · 1 everything, of all ASIDs · 3 this guest's · 7 this guest's that is not global
//                 (3 and 7 where CPUID announces "flush by ASID"; elsewhere everything is forgotten)

import type {Core} from '../cpu/core.js';
import {CR3, CR4} from '../cpu/cell-indexes.js';
import {CR4_PCIDE, low} from '../cpu/modes.js';
import {NO_PCID} from '../mmu/tlb.js';
import type {Vmcb} from './vmcb.js';

const FLUSH_GUEST = 3n;
const FLUSH_GUEST_NON_GLOBAL = 7n;

const pcidOf = (core: Core): number =>
  (low(core.registers, CR4) & CR4_PCIDE) === 0 ? NO_PCID : Number((core.registers.cells[CR3] ?? 0n) & 0xfffn);

/** After VMRUN has loaded the guest. */
export function enterGuestTranslations(core: Core, vmcb: Vmcb): void {
  const asid = Number(vmcb.get('GUEST_ASID'));
  obeyTlbControl(core, asid, vmcb.get('TLB_CONTROL'));
  core.tlb.enterContext({identifier: asid, root: undefined}, pcidOf(core));
}

function obeyTlbControl(core: Core, asid: number, control: bigint): void {
  if (control === 0n) return;
  if (core.features.flushByAsid && control === FLUSH_GUEST) core.tlb.flushIdentifier(asid, 'global pages too');
  else if (core.features.flushByAsid && control === FLUSH_GUEST_NON_GLOBAL)
    core.tlb.flushIdentifier(asid, 'not global pages');
  else core.tlb.flushEverything();
}

/** After #VMEXIT has loaded the host, whose ASID is 0. */
export function leaveGuestTranslations(core: Core): void {
  core.tlb.enterContext({identifier: 0, root: undefined}, pcidOf(core));
}
