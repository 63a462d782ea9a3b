// One line of the opcode table: an encoding, the operands it has, and the function that gives its meaning.
// From this one line the project decodes, disassembles, assembles, executes, explains and classifies.
//
//   op('80 /0 ib', 'ADD r/m8, imm8', ADD, lockable)
//       │            │                │    └ attributes
//       │            │                └ meaning: one function for every encoding of ADD
//       │            └ mnemonic and operands, in the manual's order
//       └ opcode bytes and what follows them

import type {Instruction} from '../instruction.js';
import type {Microcode} from '../microcode/microcode.js';

/** Records what an instruction means. Called once for each decoded instruction, never while the guest runs. */
export type Semantics = (i: Instruction, m: Microcode) => void;

/**
 * Encoding tokens, separated by spaces:
 *   NP 66 F2 F3      first of all, where the prefix chooses the instruction: none of the three allowed, or this one needed
 *   VEX.0F38.NP.W0   first of all, in place of that: a VEX prefix with L = 0, the opcode map, the mandatory prefix and W
 *   two hex digits   an opcode byte; `90+r`, `70+cc`: with a register, or a condition, in its low bits
 *   /r  /0 … /7      a ModR/M byte with a register, or with an opcode extension, in its reg field; `/r` without an operand
 *                    that uses the field: the field is ignored (SETcc)
 *   /5r              a ModR/M byte whose mod must be 3 and whose r/m field is ignored (LFENCE)
 *   ib iw iz iq      immediate: 8, 16, 16-or-32 by operand size, 16-32-or-64 by operand size
 *   cb cz            branch distance: 8, 16-or-32 by operand size
 *   ap               ptr16:16 or ptr16:32 by operand size
 *   mo               a moffs: an address of the address size
 *
 * Operand types:
 *   r8 r16 r32 r64 rV        general register: fixed width, or V = operand size (16, 32, 64)
 *   rM                       general register of the mode's width: 64 in 64-bit mode, else 32 (VMREAD, INVEPT)
 *   rmM                      the same, named by the r/m field whatever mod says (MOV CR, MOV DR)
 *   regV regM reg32 reg64    register only, named by r/m: V, the mode's width, or a fixed one
 *   r32v r64v                register named by the vvvv field of a VEX prefix
 *   xmm mm                   XMM or MMX register, by the reg field; regXmm regMm: by r/m, register only
 *   xmm/m32 … mm/m64         XMM or MMX register, or memory
 *   r/m8 … r/mV r/mM         register or memory
 *   mV m8                    memory only, of the operand size or a byte
 *   rV/m16                   a register of one width or a memory operand of another (MOV r, Sreg; SLDT; SMSW)
 *   m m16 … m128             memory only; `m` alone has no access width (LEA, INVLPG); m16&M: limit and base (LGDT)
 *   m16:V                    far pointer in memory
 *   imm8 imm8s imm16 immZ immV  immediates; `s`: sign-extended to the operand size; Z: 16 or 32 (sign-extended to 64); V: MOV's
 *   rel8 relZ ptr16:Z moffs8 moffsV
 *   sreg cr dr               by the reg field
 *   AL rAX AX CL DX 1 ES CS SS DS FS GS   fixed; rAX has the operand size
 *
 * String instructions have no explicit operands in the table; their microcode says what they touch.
 */
export interface OpcodeForm {
  /** `80 /0 ib` */
  readonly encoding: string;
  /** The same, taken apart. */
  readonly pattern: EncodingPattern;
  /** `ADD r/m8, imm8` */
  readonly syntax: string;
  /** `ADD`; `Jcc`, `SETcc`, `CMOVcc` for the conditional ones. */
  readonly mnemonic: string;
  readonly operandTypes: readonly OperandType[];
  readonly semantics: Semantics;
  readonly attributes: ReadonlySet<Attribute>;
  /** What CPUID must announce for the encoding to exist; undefined where it always does. */
  readonly feature: InstructionFeature | undefined;
  /** What the instruction is called in words: `Add`. */
  readonly title: string;
  /** The SDM's section title for this instruction: a source that can be named on a screen. */
  readonly source: string;
}

/** The encoding of a form, as data for the decoder and the assembler. */
export interface EncodingPattern {
  /** The prefix that chooses the instruction; 'NP': none of 66, F2, F3 may be there; undefined: they do not choose. */
  readonly mandatory: 'NP' | 0x66 | 0xf2 | 0xf3 | undefined;
  /** VEX.W, where a VEX prefix introduces the instruction instead of legacy prefixes and the 0F bytes. */
  readonly vex: 0 | 1 | undefined;
  /** One to three bytes, 0F escapes included, low bits 0 where `low` says that they hold something. */
  readonly opcode: readonly number[];
  readonly low: 'r' | 'cc' | undefined;
  /** 'r': the reg field is an operand (or ignored); a number: it is an opcode extension. */
  readonly modrm: 'r' | number | undefined;
  /** mod must be 3 and r/m is ignored. */
  readonly registerOnly: boolean;
  readonly immediates: readonly ImmediateToken[];
}

export const IMMEDIATE_TOKENS = ['ib', 'iw', 'iz', 'iq', 'cb', 'cz', 'ap', 'mo'] as const;
export type ImmediateToken = (typeof IMMEDIATE_TOKENS)[number];

export const OPERAND_TYPES = [
  'r8',
  'r16',
  'r32',
  'r64',
  'rV',
  'rM',
  'rmM',
  'regV',
  'regM',
  'reg32',
  'reg64',
  'r32v',
  'r64v',
  'r/m8',
  'r/m16',
  'r/m32',
  'r/m64',
  'r/mV',
  'r/mM',
  'rV/m16',
  'm',
  'm8',
  'mV',
  'm16',
  'm32',
  'm64',
  'm128',
  'xmm',
  'mm',
  'regXmm',
  'regMm',
  'xmm/m32',
  'xmm/m64',
  'xmm/m128',
  'mm/m32',
  'mm/m64',
  'm16&M',
  'm16:V',
  'imm8',
  'imm8s',
  'imm16',
  'immZ',
  'immV',
  'rel8',
  'relZ',
  'ptr16:Z',
  'moffs8',
  'moffsV',
  'sreg',
  'cr',
  'dr',
  'AL',
  'rAX',
  'AX',
  'CL',
  'DX',
  '1',
  'ES',
  'CS',
  'SS',
  'DS',
  'FS',
  'GS',
] as const;
export type OperandType = (typeof OPERAND_TYPES)[number];

/**
 * Parts of the instruction set that came after the 386. Most are announced by CPUID one by one: the names of SDM vol. 2,
 * "CPUID—CPU Identification". `i486` and `p6` (Pentium Pro) came with a generation, announced by no bit; `ept` and `vpid`
 * (INVEPT, INVVPID) are announced by VMX capability MSRs. An encoding of a part that the processor lacks is whatever its
 * bytes were before: #UD, or another instruction.
 */
export const INSTRUCTION_FEATURES = [
  'i486',
  'p6',
  'cpuid',
  'cr4',
  'syscall',
  'lahf64',
  'prefetchw',
  'vmx',
  'ept',
  'vpid',
  'cx8',
  'cmov',
  'sep',
  'clflush',
  'cx16',
  'popcnt',
  'movbe',
  'monitor',
  'xsave',
  'rdrand',
  'sse42',
  'lzcnt',
  'bmi1',
  'bmi2',
  'adx',
  'rdseed',
  'rdpid',
  'rdtscp',
  'smap',
  'fsgsbase',
  'invpcid',
  'clflushopt',
  'clwb',
  'tsc',
  'msr',
  'fpu',
  'mmx',
  'fxsr',
  'sse',
  'sse2',
  'sse3',
  'ssse3',
  'sse41',
  'xsaveopt',
  'xsavec',
  'avx',
  'avx512f',
  'sse4a',
  'xop',
  'amd3dnow',
  'aes',
  'pclmulqdq',
  'sha',
  'gfni',
  'svm',
] as const;
export type InstructionFeature = (typeof INSTRUCTION_FEATURES)[number];

export type Attribute =
  /** LOCK is allowed when the destination is memory. */
  | 'lockable'
  /** REP/REPE/REPNE repeat it. `rep`: only F3 (and F2 as F3) counts; `repcc`: REPE and REPNE also look at ZF. */
  | 'rep'
  | 'repcc'
  /** The operand size is 64 by default in 64-bit mode and cannot be 32 (PUSH, POP, near branches with `f64`). */
  | 'd64'
  /** The operand size is always 64 in 64-bit mode; 66h is ignored (near branches on Intel, MOV CR). */
  | 'f64'
  /** Does not exist in 64-bit mode; or exists only there. */
  | 'i64'
  | 'o64'
  /** Only this effective operand size selects the line (CBW, CWDE, CDQE; PUSHF, PUSHFD, PUSHFQ). */
  | 'os16'
  | 'os32'
  | 'os64'
  /** Only this effective address size selects the line (JCXZ, JECXZ, JRCXZ). */
  | 'as16'
  | 'as32'
  | 'as64'
  /** REX.W does not raise the operand size above 32 (IN, OUT, INS, OUTS). */
  | 'noW'
  /** A byte form: the operand size is 8. */
  | 'byte'
  /** #UD in real mode and virtual-8086 mode (LLDT, SLDT): `recordMicrocode` puts that check first. */
  | 'protected'
  /** The same bytes as an earlier line; decode never picks it, the assembler may accept it as a spelling. */
  | 'alias'
  /** Only where no x87 FPU is announced: what its encodings do when no coprocessor answers. */
  | 'noFpu'
  /** Decoded, but no assembler writes it (82 /0, F6 /1, the SAL encodings). */
  | 'redundant';
