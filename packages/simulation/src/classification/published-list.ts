// The published list for IA-32: J. S. Robin and C. E. Irvine, "Analysis of the Intel Pentium's Ability to Support a Secure
// Virtual Machine Monitor", USENIX Security 2000. Seventeen instructions by the paper's count; the list that is usually
// reproduced from it names eighteen mnemonics, in two groups.

export interface PublishedInstruction {
  /** As the list has it: `INT n`. */
  readonly mnemonic: string;
  readonly group: 'sensitive register instructions' | 'protection system references';
  /** The names that classification has for it. */
  readonly names: readonly string[];
}

const registers = (mnemonic: string, ...names: readonly string[]): PublishedInstruction => ({
  mnemonic,
  group: 'sensitive register instructions',
  names,
});
const protection = (mnemonic: string, ...names: readonly string[]): PublishedInstruction => ({
  mnemonic,
  group: 'protection system references',
  names,
});

export const ROBIN_AND_IRVINE: readonly PublishedInstruction[] = [
  registers('SGDT', 'SGDT'),
  registers('SIDT', 'SIDT'),
  registers('SLDT', 'SLDT'),
  registers('SMSW', 'SMSW'),
  registers('PUSHF', 'PUSHF', 'PUSHFD', 'PUSHFQ'),
  registers('POPF', 'POPF', 'POPFD', 'POPFQ'),
  protection('LAR', 'LAR'),
  protection('LSL', 'LSL'),
  protection('VERR', 'VERR'),
  protection('VERW', 'VERW'),
  protection('POP', 'POP Sreg'),
  protection('PUSH', 'PUSH Sreg'),
  protection('CALL', 'CALL far'),
  protection('JMP', 'JMP far'),
  protection('INT n', 'INT'),
  protection('RET', 'RETF'),
  protection('STR', 'STR'),
  protection('MOV', 'MOV Sreg, r/m', 'MOV r/m, Sreg'),
];

/** What the same definitions find beyond the list, and why it is right that they do. */
export const BEYOND_THE_LIST: ReadonlyMap<string, string> = new Map([
  ...['IRET', 'IRETD', 'IRETQ'].map(
    name =>
      [
        name,
        'the other way out of a handler: loads CS and SS, and outside ring 0 keeps IF and IOPL in silence',
      ] as const,
  ),
  ...['LDS', 'LES', 'LSS', 'LFS', 'LGS'].map(name => [name, 'loads a segment register, as MOV does'] as const),
  ['CPUID', 'shows CR4.OSXSAVE and whether the local APIC is on'],
  ['RDTSC', 'shows the real time, unless CR4.TSD'],
  ['RDTSCP', 'shows the real time and IA32_TSC_AUX, unless CR4.TSD'],
  ['RDPID', 'shows IA32_TSC_AUX'],
  ['XGETBV', 'shows what the system has enabled in XCR0'],
  ...['XSAVE', 'XSAVE64', 'XSAVEOPT', 'XSAVEOPT64', 'XSAVEC', 'XSAVEC64'].map(
    name => [name, 'XCR0 decides what of the area is written'] as const,
  ),
  ...['XRSTOR', 'XRSTOR64'].map(name => [name, 'XCR0 decides what is loaded or initialized'] as const),
]);
