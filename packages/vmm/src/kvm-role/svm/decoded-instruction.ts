// The instruction that was intercepted, decoded by KVM itself. A processor with decode assists tells the register or the address
// in EXITINFO1; the first ones did not, and KVM fetched the bytes from guest memory as it does for MMIO.
// Linux, arch/x86/kvm/svm/svm.c: cr_interception, invlpg_interception (emulate_on_interception).

import {bit} from '@hyperscope/base';
import {disassemble} from '@hyperscope/isa';
import type {GeneralRegister, Instruction, MemoryOperand} from '@hyperscope/isa';
import type {SvmHardware} from './svm-hardware.js';

const LONG = 13;

export interface Decoded {
  readonly instruction: Instruction;
  /** 'no decode assists: fetched and decoded mov cr0,eax' */
  readonly say: string;
}

/** Undefined where it cannot be fetched any more. */
export function decodeIntercepted({host}: SvmHardware): Decoded | undefined {
  const fetched = host.emulator.fetch();
  if (!('microcode' in fetched)) return undefined;
  const {instruction} = fetched.microcode;
  const text = disassemble(instruction, fetched.rip);
  return {instruction, say: `the processor has no decode assists, so KVM fetches and decodes the instruction: ${text}`};
}

/** The general register among the operands. */
export function generalOperand({operands}: Instruction): GeneralRegister | undefined {
  for (const operand of operands) if (operand.kind === 'register') return operand.register;
  return undefined;
}

export const memoryOperand = ({operands}: Instruction): MemoryOperand | undefined =>
  operands.find(operand => operand.kind === 'memory');

/** The linear address of a memory operand. */
export function linearAddressOf(hardware: SvmHardware, instruction: Instruction, operand: MemoryOperand): bigint {
  const next = hardware.get('RIP') + BigInt(instruction.bytes.length);
  const base = operand.base === undefined ? 0n : operand.base === 'RIP' ? next : hardware.get(operand.base);
  const index = operand.index === undefined ? 0n : hardware.get(operand.index) * BigInt(operand.scale);
  const offset = BigInt.asUintN(operand.addressSize, base + index + operand.displacement);
  const is64 = bit(hardware.get('CS.attributes'), LONG);
  const hasBase = !is64 || operand.segment === 'FS' || operand.segment === 'GS';
  return BigInt.asUintN(is64 ? 64 : 32, offset + (hasBase ? hardware.get(`${operand.segment}.base`) : 0n));
}
