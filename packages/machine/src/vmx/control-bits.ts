// The bits of the VM-execution, VM-exit and VM-entry controls, by the names that the manual gives them.
// SDM vol. 3C, "VM-Execution Control Fields", "VM-Exit Control Fields", "VM-Entry Control Fields".

export const PIN_CONTROLS = {
  'external-interrupt exiting': 0,
  'NMI exiting': 3,
  'virtual NMIs': 5,
  'activate VMX-preemption timer': 6,
  'process posted interrupts': 7,
} as const;

export const PRIMARY_CONTROLS = {
  'interrupt-window exiting': 2,
  'use TSC offsetting': 3,
  'HLT exiting': 7,
  'INVLPG exiting': 9,
  'MWAIT exiting': 10,
  'RDPMC exiting': 11,
  'RDTSC exiting': 12,
  'CR3-load exiting': 15,
  'CR3-store exiting': 16,
  'activate tertiary controls': 17,
  'CR8-load exiting': 19,
  'CR8-store exiting': 20,
  'use TPR shadow': 21,
  'NMI-window exiting': 22,
  'MOV-DR exiting': 23,
  'unconditional I/O exiting': 24,
  'use I/O bitmaps': 25,
  'monitor trap flag': 27,
  'use MSR bitmaps': 28,
  'MONITOR exiting': 29,
  'PAUSE exiting': 30,
  'activate secondary controls': 31,
} as const;

export const SECONDARY_CONTROLS = {
  'virtualize APIC accesses': 0,
  'enable EPT': 1,
  'descriptor-table exiting': 2,
  'enable RDTSCP': 3,
  'virtualize x2APIC mode': 4,
  'enable VPID': 5,
  'WBINVD exiting': 6,
  'unrestricted guest': 7,
  'APIC-register virtualization': 8,
  'virtual-interrupt delivery': 9,
  'PAUSE-loop exiting': 10,
  'RDRAND exiting': 11,
  'enable INVPCID': 12,
  'enable VM functions': 13,
  'VMCS shadowing': 14,
  'enable ENCLS exiting': 15,
  'RDSEED exiting': 16,
  'enable PML': 17,
  'EPT-violation #VE': 18,
  'conceal VMX from PT': 19,
  'enable XSAVES/XRSTORS': 20,
  'mode-based execute control for EPT': 22,
  'use TSC scaling': 25,
} as const;

export const EXIT_CONTROLS = {
  'save debug controls': 2,
  'host address-space size': 9,
  'load IA32_PERF_GLOBAL_CTRL': 12,
  'acknowledge interrupt on exit': 15,
  'save IA32_PAT': 18,
  'load IA32_PAT': 19,
  'save IA32_EFER': 20,
  'load IA32_EFER': 21,
  'save VMX-preemption timer value': 22,
} as const;

export const ENTRY_CONTROLS = {
  'load debug controls': 2,
  'IA-32e mode guest': 9,
  'entry to SMM': 10,
  'deactivate dual-monitor treatment': 11,
  'load IA32_PERF_GLOBAL_CTRL': 13,
  'load IA32_PAT': 14,
  'load IA32_EFER': 15,
} as const;

export type PinControl = keyof typeof PIN_CONTROLS;
export type PrimaryControl = keyof typeof PRIMARY_CONTROLS;
export type SecondaryControl = keyof typeof SECONDARY_CONTROLS;
export type ExitControl = keyof typeof EXIT_CONTROLS;
export type EntryControl = keyof typeof ENTRY_CONTROLS;

/** Bit numbers by name. */
export const pinControl = (name: PinControl): number => PIN_CONTROLS[name];
export const primaryControl = (name: PrimaryControl): number => PRIMARY_CONTROLS[name];
export const secondaryControl = (name: SecondaryControl): number => SECONDARY_CONTROLS[name];
export const exitControl = (name: ExitControl): number => EXIT_CONTROLS[name];
export const entryControl = (name: EntryControl): number => ENTRY_CONTROLS[name];

/** A control word with these bits set. */
export const controlMask = (...bits: readonly number[]): bigint =>
  bits.reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n);

// Bits that the first processors fixed at 1, and that software which does not know them must leave so (the default1 class).
export const PIN_DEFAULT1 = 0x16n;
export const PRIMARY_DEFAULT1 = 0x0401_e172n;
export const EXIT_DEFAULT1 = 0x0003_6dffn;
export const ENTRY_DEFAULT1 = 0x0000_11ffn;
