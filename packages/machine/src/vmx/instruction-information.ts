// The VM-exit instruction information field: how the exiting instruction names its operands, so that a hypervisor need
// not decode it. SDM vol. 3C, "Format of the VM-Exit Instruction-Information Field".
//
//   1:0 scale · 6:3 reg1 · 9:7 address size · 10 register form · 11 32-bit operand · 17:15 segment · 21:18 index ·
//   22 no index · 26:23 base · 27 no base · 29:28 which instruction · 31:28 reg2

import {GENERAL_REGISTERS, SEGMENT_REGISTERS} from '@hyperscope/isa';
import type {GeneralRegister, Instruction, RegisterOperand} from '@hyperscope/isa';
import type {Core} from '../cpu/core.js';
import {memoryOperand} from './intercept-context.js';

const registerNumber = (register: GeneralRegister): number => GENERAL_REGISTERS.indexOf(register);
const addressSizeCode = (size: 16 | 32 | 64): number => (size === 64 ? 2 : size === 32 ? 1 : 0);

/** The register operand that is not part of an address: reg1, or reg2 where a memory operand is there too. */
export function registerOperand(instruction: Instruction): GeneralRegister | undefined {
  for (const operand of instruction.operands) if (operand.kind === 'register') return operand.register;
  return undefined;
}

function memoryBits(instruction: Instruction): number {
  const memory = memoryOperand(instruction);
  if (memory === undefined) return 0;
  const scale = Math.log2(memory.scale);
  const index = memory.index === undefined ? 1 << 22 : registerNumber(memory.index) << 18;
  const base = memory.base === undefined || memory.base === 'RIP' ? 1 << 27 : registerNumber(memory.base) << 23;
  return (
    scale |
    (addressSizeCode(memory.addressSize) << 7) |
    (SEGMENT_REGISTERS.indexOf(memory.segment) << 15) |
    index |
    base
  );
}

/** VMREAD r/m, r and VMWRITE r, r/m: reg1 stands in the place of the memory operand, reg2 holds the field's encoding. */
function registerForm(instruction: Instruction, first: RegisterOperand, second: RegisterOperand): number {
  const [operand, encoding] = instruction.mnemonic === 'VMREAD' ? [first, second] : [second, first];
  return ((registerNumber(operand.register) << 3) | (1 << 10) | (registerNumber(encoding.register) << 28)) >>> 0;
}

/** For VMCLEAR, VMPTRLD, VMPTRST, VMXON, and with reg2 for INVEPT, INVVPID, VMREAD, VMWRITE. */
export function operandInformation(instruction: Instruction): number {
  const [first, second] = instruction.operands;
  if (first?.kind === 'register' && second?.kind === 'register') return registerForm(instruction, first, second);
  const register = registerOperand(instruction);
  const reg2 = register === undefined ? 0 : registerNumber(register) << 28;
  return (memoryBits(instruction) | reg2) >>> 0;
}

/** For SGDT, SIDT, LGDT, LIDT (`which` 0 to 3), and SLDT, STR, LLDT, LTR (`which` 0 to 3) with their register form. */
export function descriptorTableInformation(
  instruction: Instruction,
  table: 'GDTR or IDTR' | 'LDTR or TR',
  which: 0 | 1 | 2 | 3,
): number {
  const register = memoryOperand(instruction) === undefined ? registerOperand(instruction) : undefined;
  const form = register === undefined ? memoryBits(instruction) : (registerNumber(register) << 3) | (1 << 10);
  // The operand size is told for the tables' registers only.
  const wide = table === 'GDTR or IDTR' && instruction.width === 32 ? 1 << 11 : 0;
  return (form | wide | (which << 28)) >>> 0;
}

/** For RDRAND and RDSEED: 6:3 the destination · 12:11 its size, 16, 32 or 64 bits. */
export function destinationInformation(instruction: Instruction): number {
  const register = registerOperand(instruction);
  const size = instruction.width === 64 ? 2 : instruction.width === 32 ? 1 : 0;
  return ((register === undefined ? 0 : registerNumber(register)) << 3) | (size << 11);
}

/** For INS and OUTS: address size and segment. */
export function stringInformation(instruction: Instruction, segment: number): number {
  return (addressSizeCode(instruction.addressSize) << 7) | (segment << 15);
}

/** The exit qualification of instructions with a memory operand: its displacement, RIP-relative ones resolved. */
export function displacementQualification(core: Core, instruction: Instruction): bigint {
  const memory = memoryOperand(instruction);
  if (memory === undefined) return 0n;
  const next = memory.base === 'RIP' ? core.instructionRip + BigInt(instruction.bytes.length) : 0n;
  return BigInt.asUintN(64, memory.displacement + next);
}
