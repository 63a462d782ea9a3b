// The intercept vector of a VMCB: one bit for each thing that can leave the guest. Bit n of a word has its own exit code,
// so the table of bits is the table of exit codes too. APM vol. 2, "Intercept Operation"; appendix B, "VMCB Layout".

export interface SvmInterceptBit {
  readonly word: 3 | 4 | 5;
  readonly bit: number;
  /** `INTR`: what the manual calls it. */
  readonly name: string;
}

const WORD_3 = [
  'INTR',
  'NMI',
  'SMI',
  'INIT',
  'VINTR',
  'CR0_SEL_WRITE',
  'IDTR_READ',
  'GDTR_READ',
  'LDTR_READ',
  'TR_READ',
  'IDTR_WRITE',
  'GDTR_WRITE',
  'LDTR_WRITE',
  'TR_WRITE',
  'RDTSC',
  'RDPMC',
  'PUSHF',
  'POPF',
  'CPUID',
  'RSM',
  'IRET',
  'SWINT',
  'INVD',
  'PAUSE',
  'HLT',
  'INVLPG',
  'INVLPGA',
  'IOIO',
  'MSR',
  'TASK_SWITCH',
  'FERR_FREEZE',
  'SHUTDOWN',
] as const;

const WORD_4 = [
  'VMRUN',
  'VMMCALL',
  'VMLOAD',
  'VMSAVE',
  'STGI',
  'CLGI',
  'SKINIT',
  'RDTSCP',
  'ICEBP',
  'WBINVD',
  'MONITOR',
  'MWAIT',
  'MWAIT_COND',
  'XSETBV',
  'RDPRU',
  'EFER_WRITE_TRAP',
] as const;

/** Word 5: only the bits that the project knows. */
const WORD_5 = ['INVLPGB', 'INVLPGB_ILLEGAL', 'INVPCID', 'MCOMMIT', 'TLBSYNC'] as const;

export type SvmInterceptName = (typeof WORD_3)[number] | (typeof WORD_4)[number] | (typeof WORD_5)[number];

const named = (word: 3 | 4 | 5, names: readonly SvmInterceptName[]): (SvmInterceptBit & {name: SvmInterceptName})[] =>
  names.map((name, bit) => ({word, bit, name}));

export const SVM_INTERCEPT_BITS: readonly (SvmInterceptBit & {readonly name: SvmInterceptName})[] = [
  ...named(3, WORD_3),
  ...named(4, WORD_4),
  ...named(5, WORD_5),
];

const BY_NAME: ReadonlyMap<string, SvmInterceptBit> = new Map(SVM_INTERCEPT_BITS.map(each => [each.name, each]));

/** Where the bit of an intercept lies. */
export function svmInterceptBit(name: SvmInterceptName): SvmInterceptBit {
  return BY_NAME.get(name) ?? {word: 3, bit: 0, name};
}
