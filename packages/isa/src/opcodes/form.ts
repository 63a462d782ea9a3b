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
 *   two hex digits   an opcode byte; `66`, `F2`, `F3` before `0F` (or before another opcode byte) are mandatory prefixes
 *   +r  +cc          the byte before holds a register, or a condition, in its low bits
 *   /r  /0 … /7      a ModR/M byte with a register, or with an opcode extension, in its reg field
 *   ib iw iz iq      immediate: 8, 16, 16-or-32 by operand size, 16-32-or-64 by operand size
 *   cb cz            branch distance: 8, 16-or-32 by operand size
 *   ap               ptr16:16 or ptr16:32 by operand size
 *   mo               a moffs: an address of the address size
 *
 * Operand types:
 *   r8 r16 r32 r64 rV        general register: fixed width, or V = operand size (16, 32, 64)
 *   rM                       general register of the mode's width: 64 in 64-bit mode, else 32 (MOV CR, MOV DR, VMREAD)
 *   r/m8 … r/mV r/mM         register or memory
 *   r16/m16 rV/m16           a register of one width or a memory operand of another (MOV r, Sreg; SLDT; LAR)
 *   m m8 m16 m32 m64 mV      memory only; `m` alone has no access width (LEA, INVLPG); m16&V (LGDT: limit and base)
 *   m16:V                    far pointer in memory
 *   imm8 imm8s imm16 immZ immV  immediates; `s`: sign-extended to the operand size; Z: 16 or 32 (sign-extended to 64); V: MOV's
 *   rel8 relZ ptr16:Z moffs8 moffsV
 *   sreg cr dr               by the reg field
 *   AL AX EAX RAX rAX CL DX 1 ES CS SS DS FS GS   fixed; rAX has the operand size
 *
 * String instructions have no explicit operands in the table; their microcode says what they touch.
 */
export interface OpcodeForm {
  /** `80 /0 ib` */
  readonly encoding: string;
  /** `ADD r/m8, imm8` */
  readonly syntax: string;
  /** `ADD`; `Jcc`, `SETcc`, `CMOVcc` for the conditional ones. */
  readonly mnemonic: string;
  readonly operandTypes: readonly string[];
  readonly semantics: Semantics;
  readonly attributes: ReadonlySet<Attribute>;
  /** The SDM's section title for this instruction: a source that can be named on a screen. */
  readonly source: string;
}

export type Attribute =
  /** LOCK is allowed when the destination is memory. */
  | 'lockable'
  /** REP/REPE/REPNE repeat it. `rep`: only F3 (and F2 as F3) counts; `repcc`: REPE and REPNE also look at ZF. */
  | 'rep' | 'repcc'
  /** The operand size is 64 by default in 64-bit mode and cannot be 32 (PUSH, POP, near branches with `f64`). */
  | 'd64'
  /** The operand size is always 64 in 64-bit mode; 66h is ignored (near branches on Intel, MOV CR). */
  | 'f64'
  /** Does not exist in 64-bit mode; or exists only there. */
  | 'i64' | 'o64'
  /** Only this effective operand size selects the line (CBW, CWDE, CDQE; PUSHF, PUSHFD, PUSHFQ). */
  | 'os16' | 'os32' | 'os64'
  /** Only this effective address size selects the line (JCXZ, JECXZ, JRCXZ). */
  | 'as16' | 'as32' | 'as64'
  /** A byte form: the operand size is 8. */
  | 'byte'
  /** #UD in real mode and virtual-8086 mode (LLDT, LAR, VMX instructions). */
  | 'protected'
  /** The same bytes as an earlier line; decode never picks it, the assembler may accept it as a spelling. */
  | 'alias'
  /** Decoded, but the assembler prefers another encoding (82 /0; duplicates by direction bit 02/03 forms are not redundant: nasm picks by operands). */
  | 'redundant';
