// APM vol. 2, "Canonicalization and Consistency Checks", said once more as a table. See block-facts.ts. All of them end in
// VMEXIT_INVALID, so they are one group.

import type {VmcbFieldName} from '@hyperscope/isa';
import {isPat} from './block-facts.js';
import type {BlockFacts, Rule} from './block-facts.js';

export interface VmcbFacts extends BlockFacts<VmcbFieldName> {
  /** Bits of CR4 that the processor has. */
  readonly supportedCr4: bigint;
  readonly hasNestedPaging: boolean;
  readonly hostHasPaging: boolean;
}

const rule = (words: string, holds: (f: VmcbFacts) => boolean): Rule<VmcbFacts> => ({
  group: 'guest',
  rule: words,
  holds,
});
const limit = (f: VmcbFacts): bigint => 1n << BigInt(f.physicalAddressBits);
const isLong = (f: VmcbFacts): boolean => f.bit('EFER', 8) && f.bit('CR0', 31);
const nested = (f: VmcbFacts): boolean => f.bit('NESTED_CONTROL', 0);

function isInjectable(f: VmcbFacts): boolean {
  if (!f.bit('EVENTINJ', 31)) return true;
  const type = f.bits('EVENTINJ', 10, 8);
  const vector = f.bits('EVENTINJ', 7, 0);
  if (![0n, 2n, 3n, 4n].includes(type)) return false;
  if (type !== 3n) return !f.bit('EVENTINJ', 11);
  const is64Bit = isLong(f) && f.bit('CS_ATTRIB', 9);
  return vector < 32n && vector !== 2n && !(is64Bit && (vector === 4n || vector === 5n));
}

export const VMCB_RULES: readonly Rule<VmcbFacts>[] = [
  rule('EFER.SVME is 1', f => f.bit('EFER', 12)),
  rule('EFER has no reserved bits', f => (f.get('EFER') & ~0x1d01n) === 0n),
  rule('CR0.NW only with CD', f => f.bit('CR0', 30) || !f.bit('CR0', 29)),
  rule('CR0 has 32 bits', f => f.get('CR0') < 0x1_0000_0000n),
  rule('CR3 fits', f => f.get('CR3') < limit(f)),
  rule('CR4 has no reserved bits', f => (f.get('CR4') & ~f.supportedCr4) === 0n),
  rule('DR6 has 32 bits', f => f.get('DR6') < 0x1_0000_0000n),
  rule('DR7 has 32 bits', f => f.get('DR7') < 0x1_0000_0000n),
  rule('long mode has PAE', f => !isLong(f) || f.bit('CR4', 5)),
  rule('long mode has PE', f => !isLong(f) || f.bit('CR0', 0)),
  rule(
    'long mode: CS is not both L and D',
    f => !isLong(f) || !f.bit('CR4', 5) || !(f.bit('CS_ATTRIB', 9) && f.bit('CS_ATTRIB', 10)),
  ),
  rule('VMRUN is intercepted', f => f.bit('INTERCEPT_WORD_4', 0)),
  rule('the ASID is not 0', f => f.get('GUEST_ASID') !== 0n),
  rule('the I/O permissions map is memory', f => (f.get('IOPM_BASE_PA') & ~0xfffn) + 0x3000n <= limit(f)),
  rule('the MSR permissions map is memory', f => (f.get('MSRPM_BASE_PA') & ~0xfffn) + 0x2000n <= limit(f)),
  rule('the event to inject is in order', isInjectable),
  rule('nested paging exists', f => !nested(f) || f.hasNestedPaging),
  rule('nested paging has a host with paging', f => !nested(f) || f.hostHasPaging),
  rule('nCR3 fits', f => !nested(f) || f.get('N_CR3') < limit(f)),
  rule('the guest’s PAT is in order', f => !nested(f) || isPat(f.get('G_PAT'))),
];
