// The model-specific registers that the project knows, by number. SDM vol. 4, "Model-Specific Registers (MSRs)".
// Unknown ones give #GP(0): that is a processor's answer too.

export interface Msr {
  readonly number: number;
  /** `IA32_EFER` */
  readonly name: string;
  readonly meaning: string;
}

const ROWS = [
  [0x0, 'IA32_P5_MC_ADDR', 'where a Pentium’s bus or parity error was'],
  [0x1, 'IA32_P5_MC_TYPE', 'what kind of cycle it was'],
  [0x10, 'IA32_TIME_STAMP_COUNTER', 'the time-stamp counter that RDTSC reads'],
  [0x1b, 'IA32_APIC_BASE', 'where the local APIC is mapped, and whether it is on'],
  [0x3a, 'IA32_FEATURE_CONTROL', 'locked at boot: whether VMXON is allowed'],
  [0x174, 'IA32_SYSENTER_CS', 'CS (and, plus 8, SS) that SYSENTER loads'],
  [0x175, 'IA32_SYSENTER_ESP', 'stack pointer that SYSENTER loads'],
  [0x176, 'IA32_SYSENTER_EIP', 'where SYSENTER jumps to'],
  [0x179, 'IA32_MCG_CAP', 'how many banks report machine-check errors'],
  [0x17a, 'IA32_MCG_STATUS', 'whether a machine check is being handled'],
  [0x1a0, 'IA32_MISC_ENABLE', 'features that software may turn off'],
  [0x1d9, 'IA32_DEBUGCTL', 'branch tracing and single-stepping on branches'],
  [0xfe, 'IA32_MTRRCAP', 'how many memory-type ranges there are'],
  [0x2ff, 'IA32_MTRR_DEF_TYPE', 'the memory type outside all ranges, and whether the ranges count'],
  [0x277, 'IA32_PAT', 'memory types that page-table entries choose from'],
  [0x480, 'IA32_VMX_BASIC', 'VMCS revision identifier, size and memory type'],
  [0x481, 'IA32_VMX_PINBASED_CTLS', 'allowed settings of the pin-based controls'],
  [0x482, 'IA32_VMX_PROCBASED_CTLS', 'allowed settings of the primary processor-based controls'],
  [0x483, 'IA32_VMX_EXIT_CTLS', 'allowed settings of the VM-exit controls'],
  [0x484, 'IA32_VMX_ENTRY_CTLS', 'allowed settings of the VM-entry controls'],
  [0x485, 'IA32_VMX_MISC', 'activity states, CR3-target count and other details'],
  [0x486, 'IA32_VMX_CR0_FIXED0', 'bits of CR0 that must be 1 in VMX operation'],
  [0x487, 'IA32_VMX_CR0_FIXED1', 'bits of CR0 that may be 1 in VMX operation'],
  [0x488, 'IA32_VMX_CR4_FIXED0', 'bits of CR4 that must be 1 in VMX operation'],
  [0x489, 'IA32_VMX_CR4_FIXED1', 'bits of CR4 that may be 1 in VMX operation'],
  [0x48a, 'IA32_VMX_VMCS_ENUM', 'the highest index of a VMCS field'],
  [0x48b, 'IA32_VMX_PROCBASED_CTLS2', 'allowed settings of the secondary processor-based controls'],
  [0x48c, 'IA32_VMX_EPT_VPID_CAP', 'what EPT and VPID can do'],
  [0x48d, 'IA32_VMX_TRUE_PINBASED_CTLS', 'as IA32_VMX_PINBASED_CTLS, where bits once forced to 1 may be 0'],
  [0x48e, 'IA32_VMX_TRUE_PROCBASED_CTLS', 'as IA32_VMX_PROCBASED_CTLS, where bits once forced to 1 may be 0'],
  [0x48f, 'IA32_VMX_TRUE_EXIT_CTLS', 'as IA32_VMX_EXIT_CTLS, where bits once forced to 1 may be 0'],
  [0x490, 'IA32_VMX_TRUE_ENTRY_CTLS', 'as IA32_VMX_ENTRY_CTLS, where bits once forced to 1 may be 0'],
  [0x491, 'IA32_VMX_VMFUNC', 'VM functions that exist'],
  [0x6e0, 'IA32_TSC_DEADLINE', 'the time-stamp counter at which the local APIC’s timer expires'],
  [0x802, 'IA32_X2APIC_APICID', 'x2APIC: this processor’s id'],
  [0x803, 'IA32_X2APIC_VERSION', 'x2APIC: version and number of local vectors'],
  [0x808, 'IA32_X2APIC_TPR', 'x2APIC: task priority'],
  [0x80a, 'IA32_X2APIC_PPR', 'x2APIC: processor priority'],
  [0x80b, 'IA32_X2APIC_EOI', 'x2APIC: end of interrupt'],
  [0x80d, 'IA32_X2APIC_LDR', 'x2APIC: logical id'],
  [0x80f, 'IA32_X2APIC_SIVR', 'x2APIC: spurious vector and software enable'],
  [0x828, 'IA32_X2APIC_ESR', 'x2APIC: errors'],
  [0x830, 'IA32_X2APIC_ICR', 'x2APIC: interrupt command'],
  [0x832, 'IA32_X2APIC_LVT_TIMER', 'x2APIC: local vector of the timer'],
  [0x835, 'IA32_X2APIC_LVT_LINT0', 'x2APIC: local vector of pin LINT0'],
  [0x836, 'IA32_X2APIC_LVT_LINT1', 'x2APIC: local vector of pin LINT1'],
  [0x837, 'IA32_X2APIC_LVT_ERROR', 'x2APIC: local vector of errors'],
  [0x838, 'IA32_X2APIC_INIT_COUNT', 'x2APIC: initial count of the timer'],
  [0x839, 'IA32_X2APIC_CUR_COUNT', 'x2APIC: current count of the timer'],
  [0x83e, 'IA32_X2APIC_DIV_CONF', 'x2APIC: divisor of the timer'],
  [0x83f, 'IA32_X2APIC_SELF_IPI', 'x2APIC: an interrupt to this processor'],
  [0xc000_0080, 'IA32_EFER', 'SYSCALL, long mode and no-execute'],
  [0xc000_0081, 'IA32_STAR', 'selectors that SYSCALL and SYSRET load'],
  [0xc000_0082, 'IA32_LSTAR', 'where SYSCALL jumps to from 64-bit mode'],
  [0xc000_0083, 'IA32_CSTAR', 'where SYSCALL jumps to from compatibility mode (AMD only)'],
  [0xc000_0084, 'IA32_FMASK', 'RFLAGS bits that SYSCALL clears'],
  [0xc000_0100, 'IA32_FS_BASE', 'base of FS'],
  [0xc000_0101, 'IA32_GS_BASE', 'base of GS'],
  [0xc000_0102, 'IA32_KERNEL_GS_BASE', 'the other GS base, exchanged by SWAPGS'],
  [0xc000_0103, 'IA32_TSC_AUX', 'a number for software, read by RDTSCP'],
  [0xc001_0114, 'VM_CR', 'whether SVM may be enabled (AMD)'],
  [0xc001_0117, 'VM_HSAVE_PA', 'where VMRUN saves the host (AMD)'],
] as const;

export type MsrName = (typeof ROWS)[number][1];

/** All known MSRs, by number. */
export const MSRS: readonly (Msr & {readonly name: MsrName})[] = ROWS.map(([number, name, meaning]) => ({
  number,
  name,
  meaning,
}));

/** The number of an MSR. */
export function msrNumber(name: MsrName): number {
  return MSRS.find(msr => msr.name === name)?.number ?? -1;
}

/** The MSR of a number; undefined for one that the project does not know. */
export function msrAt(number: number): (Msr & {readonly name: MsrName}) | undefined {
  return MSRS.find(msr => msr.number === number);
}
