// Why a check of a VM entry usually fails: what people forget, by the rule that they broke. The rule says what must hold; this
// says where to look first. From what the manuals warn of and what hypervisors' first versions get wrong.

/** [start or part of the rule, the usual cause]; the first that fits counts. */
const CAUSES: readonly (readonly [RegExp, string])[] = [
  [
    /bits that the capability MSR requires are 1/,
    'The control word was written as it came to mind. Read the capability MSR, OR in its low half, AND with its high half.',
  ],
  [
    /bits that this processor does not support are 0/,
    'A feature was asked for that this processor lacks. Look at the high half of the capability MSR before setting the bit.',
  ],
  [/^CR3-target count/, 'The field was never written, or holds a mask instead of a count.'],
  [
    /aligned to 4096 bytes|aligned to 64 bytes|aligned to 16 bytes/,
    'The structure was placed by the linker or by malloc, not in a page of its own.',
  ],
  [
    /physical-address width|within physical memory|lies within the physical/,
    'A virtual address was written where a physical one belongs.',
  ],
  [
    /virtual NMIs = 1 needs|NMI-window exiting = 1 needs/,
    'The NMI controls come in a chain: NMI exiting, then virtual NMIs, then NMI-window exiting.',
  ],
  [/needs use TPR shadow|TPR threshold/, 'The virtual-APIC controls build upon “use TPR shadow”: set it first.'],
  [/x2APIC mode and virtualize APIC accesses/, 'Both kinds of virtual APIC were switched on; a guest has one of them.'],
  [
    /posted interrupts|posted-interrupt|virtual-interrupt delivery = 1 needs/,
    'Posted interrupts need the whole chain of interrupt virtualization.',
  ],
  [/^VPID ≠ 0/, 'VPID 0 belongs to the host: number guests from 1.'],
  [/needs enable EPT = 1/, 'EPT was left out or switched off for a test, and what depends on it was not.'],
  [
    /memory type is 0|page-walk length/,
    'The EPT pointer holds the bare address of the root: OR in 6 (write-back) and 3 << 3 (four levels).',
  ],
  [/accessed and dirty flags only|bits 11:7 are 0/, 'Flags of page-table entries were put into the EPT pointer.'],
  [/^TSC multiplier/, 'TSC scaling was switched on and its multiplier left 0: 1.0 is 1 << 48.'],
  [/preemption-timer value|preemption timer value/, 'The exit control was set without the pin-based one.'],
  [/outside SMM|SMM/, 'The bits of the SMM monitor are for firmware: leave them 0.'],
  [
    /reserved type 1|has type 7|interruption information: bits 30:12/,
    'The interruption information was put together wrongly: type is in bits 10:8, valid in bit 31.',
  ],
  [/an injected NMI has vector 2/, 'Type and vector contradict each other.'],
  [
    /hardware exception has a vector/,
    'An interrupt’s vector was injected as type 3 (exception) instead of type 0 (external interrupt).',
  ],
  [
    /delivers an error code|delivers no error code/,
    'The error-code bit (11) must follow the vector: #DF #TS #NP #SS #GP #PF #AC have one, in protected mode only.',
  ],
  [/injected error code: bits/, 'The exit’s qualification was copied in the place of the error code.'],
  [
    /instruction length of 1 to 15/,
    'INT n is injected with the length of the instruction, so that the return address can be found.',
  ],
  [
    /^host CR0|^host CR4: VMXE|^host CR4: no bit|^HOST_CR/,
    'The field was not filled from the register itself: read CR0, CR3, CR4 and write them.',
  ],
  [/^HOST_\w+_SELECTOR: RPL and TI/, 'The selector was copied from a register with its RPL. Mask it with F8h.'],
  [/host CS selector|host SS selector/, 'The field was never written.'],
  [/host TR selector/, 'VT-x needs a task register: load one with LTR before VMXON.'],
  [/host address-space size equals/, 'VM-exit control 9 must say what the host really is: set it in 64-bit mode.'],
  [/host IA32_EFER: LMA and LME/, '“Load IA32_EFER” is on and HOST_IA32_EFER is not a copy of the MSR.'],
  [/host CR4\.PAE|host CR4\.PCIDE|host RIP: bits/, 'The host-state area mixes a 32-bit and a 64-bit host.'],
  [/IA32_PAT/, 'The field was left 0 in one of its bytes’ reserved values: copy the MSR, or 0007040600070406h.'],
  [/is canonical$/, 'A 32-bit value was sign-extended by hand, or a field was written with half an address.'],
  [
    /guest CR0\.PG = 1 needs CR0\.PE/,
    'The guest’s CR0 was put together bit by bit: paging without protection exists nowhere.',
  ],
  [/unrestricted guest = 0/, 'A guest may only begin in real mode with the secondary control “unrestricted guest”.'],
  [
    /guest CR0\.NE = 1/,
    'CR0.NE is fixed to 1 in VMX operation; let the guest see another value through the CR0 read shadow.',
  ],
  [/^guest CR0: no bit|^guest CR4: no bit/, 'A bit that the processor lacks was copied from another machine’s state.'],
  [
    /guest CR4\.VMXE = 1/,
    'CR4.VMXE stays 1 in VMX non-root operation; hide it with the CR4 guest/host mask and read shadow.',
  ],
  [/IA-32e mode guest = 1 needs host/, 'A 32-bit host cannot run a 64-bit guest.'],
  [
    /IA-32e mode guest|IA32_EFER\.LMA|LMA equals LME/,
    'Three places must agree on long mode: entry control 9, guest EFER, and guest CR0.PG with CR4.PAE.',
  ],
  [/IA32_EFER: reserved/, 'The field holds something else than EFER: perhaps the low half of an address.'],
  [/DR7|DEBUGCTL/, 'The field was never written; DR7 is 400h at rest.'],
  [
    /CS type|CS of type 3/,
    'Access rights are not descriptor bytes: the type’s “accessed” bit must be set, as LDS or a jump would have done.',
  ],
  [
    /: accessed$|accessed, writable/,
    'The “accessed” bit of the type is 0: a descriptor that was never loaded has it so.',
  ],
  [/a code segment is readable/, 'An execute-only code segment was put into a data register.'],
  [
    /: present$/,
    'Access rights of 0 mean “not present”. A register that is not used has bit 16 (unusable) set instead.',
  ],
  [
    /reserved access-rights bits/,
    'Access rights were copied from a descriptor without being shifted: bits 11:8 are 0 here.',
  ],
  [/: S = /, 'A system segment (TSS, LDT) and a memory segment were mixed up.'],
  [
    /G = 1 needs|G = 0 needs/,
    'Limit and granularity contradict each other: the limit here is in bytes, as the processor holds it.',
  ],
  [/TR is usable|TR type/, 'The guest needs a busy TSS in TR from its first instruction on, even in real mode.'],
  [/LDTR type/, 'An LDTR that is not used has bit 16 (unusable) set.'],
  [/selector: TI = 0/, 'TR and LDTR live in the GDT only.'],
  [/RPL|DPL/, 'The privilege levels of CS, SS and the data segments must tell one story: CPL is SS.DPL.'],
  [/virtual-8086 guest/, 'In virtual-8086 mode base, limit and rights have one possible value each.'],
  [
    /base: bits 63:32|LIMIT: bits 31:16|RIP: bits 63:32/,
    'A 64-bit value was written for a register that is not in 64-bit mode.',
  ],
  [/D = 0 where L = 1/, 'A 64-bit code segment has L = 1 and D = 0: rights A09Bh.'],
  [/RFLAGS: bit 1/, 'The field was left 0: RFLAGS at rest is 2.'],
  [/RFLAGS/, 'The flags were copied from an image that is not RFLAGS.'],
  [
    /activity state|can wake/,
    'The state of a guest that sleeps (HLT) was kept while an event was injected or a shadow left set.',
  ],
  [
    /blocking by|interruptibility state|without blocking/,
    'An interrupt was injected although the guest could not take it: ask for an interrupt-window exit first.',
  ],
  [
    /injected with RFLAGS\.IF = 1/,
    'An interrupt was injected although the guest has interrupts off: ask for an interrupt-window exit first.',
  ],
  [/pending debug exceptions/, 'The field was not cleared, or BS was not set for a guest that single-steps.'],
  [/link pointer/, 'Without a shadow VMCS the link pointer is FFFFFFFFFFFFFFFFh; a fresh field is 0.'],
  [/PDPTE/, 'The four PDPTEs were not read from the guest’s CR3 before the entry.'],
  // SVM
  [/EFER\.SVME = 1/, 'The guest’s EFER needs SVME too, although the guest never asked for it: set bit 12 in the VMCB.'],
  [/CR0\.CD = 1, or/, 'NW without CD: the state of a 386’s manual. Clear both.'],
  [/bits 63:32 of/, 'A 32-bit value was stored with its sign extended: MOV qword [m], imm32 does that.'],
  [/CR4 sets only bits/, 'A bit that the processor lacks was copied from another machine’s state.'],
  [/reserved bits of EFER/, 'The field holds something else than EFER.'],
  [
    /with EFER\.LME and CR0\.PG|CS\.L and CS\.D/,
    'Long mode needs EFER.LME, CR0.PE, CR0.PG and CR4.PAE together, and a code segment that is 64-bit or 32-bit, not both.',
  ],
  [/VMRUN intercept/, 'The intercept of VMRUN is required: without it a guest could become a hypervisor by itself.'],
  [/ASID is not 0/, 'ASID 0 belongs to the host: number guests from 1.'],
  [
    /CPUID announces nested paging|host has paging on/,
    'Nested paging was switched on where processor or host cannot have it.',
  ],
  [/guest PAT/, 'With nested paging G_PAT counts: write 0007040600070406h, as after reset.'],
  [
    /event's type|exception has a vector|pushes an error code|neither #OF/,
    'EVENTINJ was put together wrongly: vector in 7:0, type in 10:8 (0 INTR, 2 NMI, 3 exception, 4 INT n), valid in 31.',
  ],
];

/** Where to look first; undefined where there is no usual cause. */
export function usualCause(rule: string): string | undefined {
  return CAUSES.find(([pattern]) => pattern.test(rule))?.[1];
}
