// The exit codes of SVM: EXITCODE of the VMCB. Control and debug registers and exceptions have a code for each number, the
// bits of the intercept words follow from 60h, and what is not asked for by a bit has codes of its own.
// APM vol. 2, appendix C, "SVM Intercept Exit Codes".

import {EXCEPTIONS} from '../exceptions.js';
import {SVM_INTERCEPT_BITS} from './intercept-bits.js';
import type {SvmInterceptName} from './intercept-bits.js';

export interface SvmExitCode {
  /** -1 for VMEXIT_INVALID. */
  readonly code: number;
  /** `VMEXIT_IOIO` */
  readonly name: string;
  /** `I/O instruction` */
  readonly title: string;
}

/** The first code of a family: the number of the register, vector or bit is added. */
export const SVM_EXIT_BASE = {
  crRead: 0x000,
  crWrite: 0x010,
  drRead: 0x020,
  drWrite: 0x030,
  exception: 0x040,
  word3: 0x060,
  word4: 0x080,
  word5: 0x0a0,
} as const;

/** Exits that no intercept bit asks for. */
export const SVM_EXIT = {NPF: 0x400, INVALID: -1} as const;

const BIT_TITLES: Partial<Readonly<Record<SvmInterceptName, string>>> = {
  INTR: 'external interrupt',
  NMI: 'NMI',
  VINTR: 'virtual interrupt',
  CR0_SEL_WRITE: 'write of CR0 that changes more than TS and MP',
  IDTR_READ: 'SIDT',
  GDTR_READ: 'SGDT',
  LDTR_READ: 'SLDT',
  TR_READ: 'STR',
  IDTR_WRITE: 'LIDT',
  GDTR_WRITE: 'LGDT',
  LDTR_WRITE: 'LLDT',
  TR_WRITE: 'LTR',
  SWINT: 'INT n',
  IOIO: 'I/O instruction',
  MSR: 'RDMSR or WRMSR',
  TASK_SWITCH: 'task switch',
  SHUTDOWN: 'shutdown (triple fault)',
};

const numbered = (
  base: number,
  count: number,
  name: (n: number) => string,
  title: (n: number) => string,
): SvmExitCode[] => Array.from({length: count}, (_, n) => ({code: base + n, name: name(n), title: title(n)}));

const WORD_BASE = {3: SVM_EXIT_BASE.word3, 4: SVM_EXIT_BASE.word4, 5: SVM_EXIT_BASE.word5} as const;

/** All codes. */
export const SVM_EXIT_CODES: readonly SvmExitCode[] = [
  ...numbered(
    SVM_EXIT_BASE.crRead,
    16,
    n => `VMEXIT_CR${n}_READ`,
    n => `MOV from CR${n}`,
  ),
  ...numbered(
    SVM_EXIT_BASE.crWrite,
    16,
    n => `VMEXIT_CR${n}_WRITE`,
    n => `MOV to CR${n}`,
  ),
  ...numbered(
    SVM_EXIT_BASE.drRead,
    16,
    n => `VMEXIT_DR${n}_READ`,
    n => `MOV from DR${n}`,
  ),
  ...numbered(
    SVM_EXIT_BASE.drWrite,
    16,
    n => `VMEXIT_DR${n}_WRITE`,
    n => `MOV to DR${n}`,
  ),
  ...numbered(
    SVM_EXIT_BASE.exception,
    32,
    n => `VMEXIT_EXCP${n}`,
    n => `exception ${EXCEPTIONS[n]?.name ?? n}`,
  ),
  ...SVM_INTERCEPT_BITS.map(({word, bit, name}) => ({
    code: WORD_BASE[word] + bit,
    name: `VMEXIT_${name}`,
    title: BIT_TITLES[name] ?? name,
  })),
  {code: SVM_EXIT.NPF, name: 'VMEXIT_NPF', title: 'nested page fault'},
  {code: SVM_EXIT.INVALID, name: 'VMEXIT_INVALID', title: 'invalid guest state in the VMCB'},
];

const BY_CODE: ReadonlyMap<number, SvmExitCode> = new Map(SVM_EXIT_CODES.map(each => [each.code, each]));

/** What a code means; a code that no processor gives is called by its number. */
export function svmExitCode(code: number): SvmExitCode {
  return BY_CODE.get(code) ?? {code, name: `exit code ${code.toString(16)}`, title: 'unknown exit code'};
}

/** The code of an intercept bit. */
export function svmInterceptExit(name: SvmInterceptName): number {
  const found = SVM_INTERCEPT_BITS.find(each => each.name === name);
  return found === undefined ? SVM_EXIT.INVALID : WORD_BASE[found.word] + found.bit;
}
