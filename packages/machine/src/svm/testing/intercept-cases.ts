// For every bit of the intercept vector a guest that triggers it, with what #VMEXIT tells; or why none can.
// APM vol. 2, "Instruction Intercepts", "Exception Intercepts", "Interrupt Intercepts", "Miscellaneous Intercepts"; appendix C.

import {hpa} from '@hyperscope/base';
import type {SvmInterceptName, VmcbFieldName} from '@hyperscope/isa';
import type {SvmMachine} from './svm-machine.js';
import {IOPM, MSRPM, VMCB} from './svm-machine.js';

export interface InterceptCase {
  readonly what: string;
  readonly code: readonly number[];
  readonly exitCode: number;
  readonly field: VmcbFieldName;
  readonly bit: number;
  readonly mode?: 'real' | 'long';
  readonly prepares?: (made: SvmMachine) => unknown;
  readonly info1?: bigint;
  readonly info2?: bigint;
  /** RIP at the exit, from the guest's first instruction on. */
  readonly at?: number;
  /** Bytes to the next instruction, which NRIP tells; undefined where no instruction was intercepted. */
  readonly length?: number;
  /** The exit code without the bit: HLT's, where nothing is said; 'none' where the guest stays. */
  readonly otherwise?: number | 'none';
}

export const HLT_EXIT = 0x78;
const EXCEPTION = 0x40;
const MOV = 1n << 63n;

const set =
  (name: VmcbFieldName, value: bigint) =>
  ({vmcb}: SvmMachine): void =>
    vmcb.set(name, value);
const all =
  (...steps: readonly ((made: SvmMachine) => unknown)[]) =>
  (made: SvmMachine): void => {
    for (const step of steps) step(made);
  };
/** Vector of the real-mode table → HLT at 8F00h. */
const handler =
  (vector: number) =>
  ({machine}: SvmMachine): void => {
    machine.memory.write(hpa(4 * vector), 4, 0x8f00n);
    machine.memory.load(hpa(0x8f00), Uint8Array.of(0xf4));
  };
const register =
  (name: 'RBX' | 'RCX' | 'RDX', value: bigint) =>
  ({machine}: SvmMachine): void =>
    machine.registers.set(name, value);

const moves = (
  family: 'CR' | 'DR',
  access: 'READ' | 'WRITE',
  base: number,
  rows: readonly (readonly [number: number, code: readonly number[], info1: bigint])[],
): InterceptCase[] =>
  rows.map(([number, code, info1]) => ({
    what: `${access.toLowerCase()} of ${family}${number}`,
    code,
    exitCode: base + number,
    field: `INTERCEPT_${family}_${access}`,
    bit: number,
    mode: 'long',
    length: code.length,
    info1,
    prepares: ({machine, vmcb}) => {
      const cr = {0: vmcb.get('CR0'), 3: vmcb.get('CR3'), 4: vmcb.get('CR4'), 6: 0xffff_0ff0n, 7: 0x400n}[number] ?? 0n;
      machine.registers.set('RBX', family === 'DR' && number < 4 ? 0n : cr);
    },
  }));

/** MOV with RBX in long mode: decode assists tell register 3. */
const CONTROL: readonly InterceptCase[] = [
  ...moves('CR', 'READ', 0x00, [
    [0, [0x0f, 0x20, 0xc3], MOV | 3n],
    [2, [0x0f, 0x20, 0xd3], MOV | 3n],
    [3, [0x0f, 0x20, 0xdb], MOV | 3n],
    [4, [0x0f, 0x20, 0xe3], MOV | 3n],
    [8, [0x44, 0x0f, 0x20, 0xc3], MOV | 3n],
  ]),
  ...moves('CR', 'WRITE', 0x10, [
    [0, [0x0f, 0x22, 0xc3], MOV | 3n],
    [2, [0x0f, 0x22, 0xd3], MOV | 3n],
    [3, [0x0f, 0x22, 0xdb], MOV | 3n],
    [4, [0x0f, 0x22, 0xe3], MOV | 3n],
    [8, [0x44, 0x0f, 0x22, 0xc3], MOV | 3n],
  ]),
  {
    what: 'SMSW is a read of CR0 without MOV',
    code: [0x0f, 0x01, 0xe3],
    exitCode: 0x00,
    field: 'INTERCEPT_CR_READ',
    bit: 0,
    length: 3,
  },
  {
    what: 'LMSW is a write of CR0 without MOV',
    code: [0x0f, 0x01, 0xf3],
    exitCode: 0x10,
    field: 'INTERCEPT_CR_WRITE',
    bit: 0,
    length: 3,
  },
  {
    what: 'CLTS is a write of CR0 without MOV',
    code: [0x0f, 0x06],
    exitCode: 0x10,
    field: 'INTERCEPT_CR_WRITE',
    bit: 0,
    length: 2,
  },
];
const DEBUG_NUMBERS = [0, 1, 2, 3, 6, 7];
const DEBUG: readonly InterceptCase[] = [
  ...moves(
    'DR',
    'READ',
    0x20,
    DEBUG_NUMBERS.map(n => [n, [0x0f, 0x21, 0xc3 | (n << 3)], 3n] as const),
  ),
  ...moves(
    'DR',
    'WRITE',
    0x30,
    DEBUG_NUMBERS.map(n => [n, [0x0f, 0x23, 0xc3 | (n << 3)], 3n] as const),
  ),
];

const exception = (
  vector: number,
  what: string,
  code: readonly number[],
  more: Partial<InterceptCase> = {},
): InterceptCase => ({
  what: `#${what}`,
  code,
  exitCode: EXCEPTION + vector,
  field: 'INTERCEPT_EXCEPTION',
  bit: vector,
  ...(more.mode === 'long' ? {otherwise: 0x7f} : {prepares: handler(vector)}),
  ...more,
});
const EXCEPTIONS: readonly InterceptCase[] = [
  exception(0, 'DE', [0xf6, 0xf1]),
  exception(1, 'DB, single step', [0x90, 0x90], {prepares: all(handler(1), set('RFLAGS', 0x102n)), at: 1}),
  exception(1, 'DB by INT1', [0xf1], {length: 1}),
  exception(3, 'BP', [0xcc], {length: 1}),
  exception(4, 'OF', [0xb0, 0x7f, 0x04, 0x01, 0xce], {at: 4, length: 1}),
  exception(5, 'BR', [0x62, 0x06, 0x00, 0x10], {
    prepares: all(handler(5), set('RAX', 0x7fffn)),
  }),
  exception(6, 'UD', [0x0f, 0x0b]),
  exception(7, 'NM', [0x9b], {prepares: all(handler(7), set('CR0', 0x1an))}),
  exception(8, 'DF', [0x0f, 0x0b], {
    mode: 'long',
    prepares: all(
      set('IDTR_BASE', 0x3000n),
      set('IDTR_LIMIT', 0xfffn),
      set('INTERCEPT_WORD_3', (1n << 24n) | (1n << 31n)),
    ),
    info1: 0n,
  }),
  exception(10, 'TS: a task whose TSS is too small', [0xea, 0, 0, 0, 0, 8, 0], {
    prepares: all(
      set('CR0', 0x11n),
      set('CS_ATTRIB', 0xc9bn),
      set('GDTR_BASE', 0x3000n),
      set('GDTR_LIMIT', 0x2fn),
      ({machine}) => {
        machine.memory.write(hpa(0x3008), 8, 0x0000_8900_4000_0010n);
        machine.memory.write(hpa(0x3028), 8, 0x0000_8b00_4800_0067n);
        machine.registers.setSegment('TR', {selector: 0x28, base: 0x4800n, limit: 0x67, attributes: 0x8b});
      },
    ),
    info1: 8n,
    otherwise: 0x7f,
  }),
  exception(11, 'NP', [0x8e, 0xdb], {
    mode: 'long',
    prepares: all(register('RBX', 8n), set('GDTR_BASE', 0x3000n), set('GDTR_LIMIT', 0xffn), ({machine}) =>
      machine.memory.write(hpa(0x3008), 8, 0x0000_1200_0000_ffffn),
    ),
    info1: 8n,
  }),
  exception(12, 'SS', [0x50], {mode: 'long', prepares: set('RSP', (1n << 47n) + 16n), info1: 0n}),
  exception(13, 'GP', [0x8e, 0xdb], {mode: 'long', prepares: register('RBX', 0x18n), info1: 0x18n}),
  exception(14, 'PF: EXITINFO2 is the address', [0xa0, 0, 0, 0x20, 0, 0, 0, 0, 0], {
    mode: 'long',
    info1: 0n,
    info2: 0x20_0000n,
  }),
  exception(17, 'AC', [0x8b, 0x03], {
    mode: 'long',
    prepares: all(
      ({vmcb}) => vmcb.set('CR0', vmcb.get('CR0') | (1n << 18n)),
      set('RFLAGS', 0x4_0002n),
      register('RBX', 0x1001n),
      set('CPL', 3n),
      ({machine}) => {
        for (const at of [0x1_0000, 0x1_1000, 0x1_2000])
          machine.memory.write(hpa(at), 8, machine.memory.read(hpa(at), 8) | 4n);
      },
    ),
    info1: 0n,
  }),
];

type Word = 'INTERCEPT_WORD_3' | 'INTERCEPT_WORD_4' | 'INTERCEPT_WORD_5';
const bitCase = (
  word: Word,
  base: number,
  bit: number,
  what: string,
  code: readonly number[],
  more: Partial<InterceptCase> = {},
): InterceptCase => ({what, code, exitCode: base + bit, field: word, bit, length: code.length, ...more});
const word3 = (bit: number, what: string, code: readonly number[], more: Partial<InterceptCase> = {}): InterceptCase =>
  bitCase('INTERCEPT_WORD_3', 0x60, bit, what, code, more);
const word4 = (bit: number, what: string, code: readonly number[], more: Partial<InterceptCase> = {}): InterceptCase =>
  bitCase('INTERCEPT_WORD_4', 0x80, bit, what, code, more);

/** [1000h] with a 16-bit address. */
const AT_1000 = [0x00, 0x10];
const IO_ALL = ({machine}: SvmMachine): void => machine.memory.load(hpa(IOPM), new Uint8Array(0x2001).fill(0xff));

const WORD_3: readonly InterceptCase[] = [
  word3(0, 'INTR', [0x90], {
    length: 0,
    prepares: all(
      handler(0x40),
      set('RFLAGS', 0x202n),
      ({machine}) => machine.registers.set('RFLAGS', 2n),
      ({machine}) => machine.requestInterrupt(0x40),
    ),
  }),
  word3(1, 'NMI', [0x90], {
    length: 0,
    prepares: all(
      handler(2),
      ({machine}) => machine.registers.set('GIF', 0n),
      ({machine}) => machine.pins.raiseNmi(),
    ),
  }),
  word3(4, 'VINTR', [0xfb, 0x90], {
    length: 0,
    at: 2,
    prepares: all(handler(0x30), set('VIRTUAL_INTERRUPT', (1n << 8n) | (1n << 20n) | (0x30n << 32n))),
  }),
  word3(5, 'a write of CR0 that changes more than TS and MP', [0x0f, 0x22, 0xc3], {
    prepares: register('RBX', 0x30n),
    info1: MOV | 3n,
  }),
  word3(5, 'LMSW that sets EM', [0x0f, 0x01, 0xf3], {prepares: register('RBX', 4n)}),
  word3(6, 'SIDT', [0x0f, 0x01, 0x0e, ...AT_1000]),
  word3(7, 'SGDT', [0x0f, 0x01, 0x06, ...AT_1000]),
  word3(8, 'SLDT', [0x0f, 0x00, 0xc3], {mode: 'long'}),
  word3(9, 'STR', [0x0f, 0x00, 0xcb], {mode: 'long'}),
  word3(10, 'LIDT', [0x0f, 0x01, 0x1e, ...AT_1000]),
  word3(11, 'LGDT', [0x0f, 0x01, 0x16, ...AT_1000]),
  word3(12, 'LLDT', [0x0f, 0x00, 0xd3], {mode: 'long', prepares: register('RBX', 0n)}),
  word3(13, 'LTR', [0x0f, 0x00, 0xdb], {mode: 'long', prepares: register('RBX', 0n), otherwise: 0x7f}),
  word3(14, 'RDTSC', [0x0f, 0x31]),
  word3(15, 'RDPMC', [0x0f, 0x33], {prepares: handler(13)}),
  word3(16, 'PUSHF', [0x9c]),
  word3(17, 'POPF', [0x9d]),
  word3(18, 'CPUID', [0x0f, 0xa2]),
  word3(19, 'RSM', [0x0f, 0xaa], {prepares: handler(6)}),
  word3(20, 'IRET', [0xcf], {
    prepares: ({machine}) => {
      machine.memory.write(hpa(0x7c00), 4, 0x8001n);
      machine.memory.write(hpa(0x7c04), 2, 2n);
    },
  }),
  word3(21, 'INT n: EXITINFO1 is the vector', [0xcd, 0x21], {prepares: handler(0x21), info1: 0x21n}),
  word3(22, 'INVD', [0x0f, 0x08]),
  word3(23, 'PAUSE', [0xf3, 0x90]),
  word3(24, 'HLT', [0xf4], {otherwise: 'none'}),
  word3(25, 'INVLPG: EXITINFO1 is the address', [0x0f, 0x01, 0x3e, ...AT_1000], {info1: 0x1000n}),
  word3(26, 'INVLPGA', [0x0f, 0x01, 0xdf], {mode: 'long'}),
  word3(27, 'IN AL, 71h', [0xe4, 0x71], {prepares: IO_ALL, info1: 0x71_0091n, info2: 0x8002n}),
  word3(27, 'OUT DX, EAX', [0x66, 0xef], {
    prepares: all(IO_ALL, register('RDX', 0x3f8n)),
    info1: 0x3f8_00c0n,
    info2: 0x8002n,
  }),
  word3(27, 'REP INSB with its segment', [0xf3, 0x6c], {
    prepares: all(IO_ALL, register('RDX', 0x60n), register('RCX', 1n)),
    info1: 0x60_009dn,
    info2: 0x8002n,
  }),
  word3(27, 'OUTSW from FS', [0x64, 0x6f], {
    prepares: all(IO_ALL, register('RDX', 0x80n), ({machine}) =>
      machine.registers.setSegment('FS', {selector: 0, base: 0n, limit: 0xffff, attributes: 0x93}),
    ),
    info1: 0x80_10a4n,
    info2: 0x8002n,
  }),
  word3(28, 'RDMSR', [0x0f, 0x32], {
    prepares: all(register('RCX', 0x174n), ({machine}) =>
      machine.memory.load(hpa(MSRPM), new Uint8Array(0x1800).fill(0xff)),
    ),
    info1: 0n,
  }),
  word3(28, 'WRMSR', [0x0f, 0x30], {
    prepares: all(register('RDX', 0n), register('RCX', 0x174n), ({machine}) =>
      machine.memory.load(hpa(MSRPM), new Uint8Array(0x1800).fill(0xff)),
    ),
    info1: 1n,
  }),
  word3(31, 'shutdown', [0x0f, 0x0b], {length: 0, prepares: set('IDTR_LIMIT', 0n), otherwise: 'none'}),
];

const svm = (bit: number, what: string, code: readonly number[], more: Partial<InterceptCase> = {}): InterceptCase =>
  word4(bit, what, code, {mode: 'long', prepares: set('RAX', BigInt(VMCB)), ...more});
const WORD_4: readonly InterceptCase[] = [
  word4(1, 'VMMCALL', [0x0f, 0x01, 0xd9], {prepares: handler(6)}),
  svm(2, 'VMLOAD', [0x0f, 0x01, 0xda]),
  svm(3, 'VMSAVE', [0x0f, 0x01, 0xdb]),
  svm(4, 'STGI', [0x0f, 0x01, 0xdc]),
  svm(5, 'CLGI', [0x0f, 0x01, 0xdd]),
  svm(6, 'SKINIT', [0x0f, 0x01, 0xde], {otherwise: 0x7f}),
  word4(7, 'RDTSCP', [0x0f, 0x01, 0xf9]),
  word4(8, 'ICEBP', [0xf1], {prepares: handler(1)}),
  word4(9, 'WBINVD', [0x0f, 0x09]),
  word4(10, 'MONITOR', [0x0f, 0x01, 0xc8]),
  word4(11, 'MWAIT', [0x0f, 0x01, 0xc9]),
  word4(12, 'MWAIT that would wait', [0x0f, 0x01, 0xc8, 0x0f, 0x01, 0xc9], {
    prepares: all(register('RCX', 0n), register('RDX', 0n)),
    at: 3,
    length: 3,
    otherwise: 'none',
  }),
  word4(13, 'XSETBV', [0x0f, 0x01, 0xd1], {
    mode: 'long',
    prepares: all(({vmcb}) => vmcb.set('CR4', 0x4_0020n), set('RAX', 1n), register('RCX', 0n), register('RDX', 0n)),
  }),
];
const WORD_5: readonly InterceptCase[] = [
  bitCase('INTERCEPT_WORD_5', 0xa0, 2, 'INVPCID', [0x66, 0x0f, 0x38, 0x82, 0x1c, 0x25, 0, 0x10, 0, 0], {
    mode: 'long',
    prepares: register('RBX', 2n),
  }),
];

export const INTERCEPT_CASES: readonly InterceptCase[] = [
  ...CONTROL,
  ...DEBUG,
  ...EXCEPTIONS,
  ...WORD_3,
  ...WORD_4,
  ...WORD_5,
];

/** Bits without a case, and why. */
export const WITHOUT_A_CASE: Partial<Readonly<Record<SvmInterceptName, string>>> = {
  SMI: 'there is no SMM',
  INIT: 'nobody sends INIT',
  TASK_SWITCH: 'svm.test.ts',
  FERR_FREEZE: 'no floating-point error is ever reported by the FERR# pin',
  VMRUN: 'VMRUN refuses a VMCB without it: svm.test.ts',
  RDPRU: 'no profile has the instruction',
  EFER_WRITE_TRAP: 'not announced',
  INVLPGB: 'no profile has the instruction',
  INVLPGB_ILLEGAL: 'no profile has the instruction',
  MCOMMIT: 'no profile has the instruction',
  TLBSYNC: 'no profile has the instruction',
};
/** Vectors without a case, and why. */
export const VECTORS_WITHOUT_A_CASE: Readonly<Record<number, string>> = {
  2: 'NMIs have a bit of their own',
  9: 'no processor since the 486 raises it',
  16: 'no x87 instruction raises an error here',
  18: 'no machine check strikes',
  19: 'no SSE instruction raises an error here',
};
