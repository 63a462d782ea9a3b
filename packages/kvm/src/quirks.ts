// Where a host's KVM is known to differ from the manuals, and by which answer of the fingerprint that is seen. A test or
// a comparison that meets such a difference names the quirk; it never passes silently and never trusts a module's name.

import type {HostFingerprint} from './fingerprint.js';

export interface Quirk {
  /** Stable: 'syscall-stays-in-ring-3'. Records and reports name it. */
  readonly id: string;
  /** The same departure's number in the conformance suite, where it has one: 'D3'. */
  readonly number: string | undefined;
  readonly probe: string;
  /** The probe's answer on hardware that does as the manual says. */
  readonly expected: string;
  /** What is different, and what the manual says. */
  readonly sentence: string;
}

export const QUIRKS: readonly Quirk[] = [
  {
    id: 'ring-0-sse',
    number: 'D1',
    probe: 'cpl0_sse',
    expected: 'ok',
    sentence:
      "Ring 0 runs in KVM's instruction emulator, which lacks SSE and many other instructions: KVM_RUN ends with KVM_EXIT_INTERNAL_ERROR where a processor would execute.",
  },
  {
    id: 'ring-0-int-n',
    number: 'D1',
    probe: 'cpl0_int_n',
    expected: 'ok',
    sentence: 'INT n in ring 0 of protected and long mode is not emulated: KVM_RUN ends with KVM_EXIT_INTERNAL_ERROR.',
  },
  {
    id: 'no-32-bit-paging',
    number: undefined,
    probe: 'paging32',
    expected: 'ok',
    sentence: 'Paging exists only in long mode: a guest with 32-bit paging is shut down.',
  },
  {
    id: 'no-pae-paging',
    number: undefined,
    probe: 'paging_pae',
    expected: 'ok',
    sentence: 'Paging exists only in long mode: a guest with PAE paging is shut down.',
  },
  {
    id: 'syscall-stays-in-ring-3',
    number: 'D3',
    probe: 'cpl3_syscall',
    expected: 'ok',
    sentence:
      'SYSCALL in ring 3 of long mode jumps to LSTAR but stays in ring 3; the manual says CPL 0 with CS and SS from STAR.',
  },
  {
    id: 'ring-3-host-selectors',
    number: 'D4',
    probe: 'cpl3_ds_selector',
    expected: '23',
    sentence: "Ring 3 of long mode sees the host's segment selectors instead of its own.",
  },
  {
    id: 'ring-3-if-is-1',
    number: 'D5',
    probe: 'cpl3_pushf_if0',
    expected: '2',
    sentence: 'PUSHF in ring 3 of long mode shows IF = 1 and IOPL = 0, whatever they are.',
  },
  {
    id: 'ring-3-step-goes-to-guest',
    number: 'D24',
    probe: 'cpl3_step',
    expected: 'ok',
    sentence: 'Single-stepping ring 3 of long mode gives the #DB to the guest: no steps are recorded there.',
  },
  {
    id: 'vmcall-loops',
    number: undefined,
    probe: 'cpl0_vmcall',
    expected: 'ok',
    sentence:
      'VMCALL in ring 0 is patched by KVM for ever and never completes; KVM normally answers unknown hypercalls with -KVM_ENOSYS.',
  },
  {
    id: 'delivery-clears-ac',
    number: 'D9',
    probe: 'delivery_ac',
    expected: 'ok',
    sentence: 'Delivering an exception clears RFLAGS.AC outside real mode too; the manual leaves it alone.',
  },
  {
    id: 'gates-unchecked',
    number: 'D10',
    probe: 'absent_gate',
    expected: 'ok',
    sentence: 'A gate that is not present gives #DF instead of #NP with the vector in the error code.',
  },
  {
    id: 'cr0-reserved-accepted',
    number: 'D15',
    probe: 'cr0_reserved',
    expected: 'ok',
    sentence: 'MOV to CR0 with bits 63:32 set is accepted and drops them; the manual says #GP(0).',
  },
  {
    id: 'cmpxchg-zeroes-upper',
    number: 'D12',
    probe: 'cmpxchg_mismatch',
    expected: 'ok',
    sentence: 'CMPXCHG r32, r32 that does not match zeroes the upper half of the destination; a processor leaves it.',
  },
  {
    id: 'stores-are-torn',
    number: 'D13',
    probe: 'store_across_fault',
    expected: 'ok',
    sentence: 'A store in ring 0 into a page that is not there has already written its bytes on the page before.',
  },
  {
    id: 'delivery-ignores-stack-base',
    number: undefined,
    probe: 'delivery_ss_base',
    expected: 'ok',
    sentence: 'An exception in protected mode pushes its frame at ESP, as if the base of SS were 0.',
  },
  {
    id: 'delivery-truncates-esp',
    number: undefined,
    probe: 'delivery_esp',
    expected: 'ok',
    sentence: 'An exception in real mode clears bits 31:16 of ESP; a 16-bit stack moves SP only.',
  },
];

/** The quirks that a host's fingerprint shows. A probe that the fingerprint does not have says nothing. */
export function quirksOf({probes}: Pick<HostFingerprint, 'probes'>): readonly Quirk[] {
  return QUIRKS.filter(({probe, expected}) => probes[probe] !== undefined && probes[probe] !== expected);
}
