// What classification calls an instruction: the mnemonic, and where one mnemonic stands for instructions of different classes
// (MOV of a general, segment, control or debug register) a word more.

import {OPCODES} from '@hyperscope/isa';
import type {OpcodeForm, OperandType} from '@hyperscope/isa';

const SPECIAL_REGISTERS: readonly (readonly [OperandType, string])[] = [
  ['sreg', 'Sreg'],
  ['cr', 'CR'],
  ['dr', 'DR'],
];
const SEGMENT_REGISTERS: ReadonlySet<OperandType> = new Set<OperandType>(['ES', 'CS', 'SS', 'DS', 'FS', 'GS']);

/** `POPF`; `MOV Sreg, r/m` and `MOV r/m, Sreg`; `PUSH Sreg`; `CALL far`. */
export function instructionName({mnemonic, operandTypes}: OpcodeForm): string {
  const [first, second] = operandTypes;
  for (const [type, word] of SPECIAL_REGISTERS) {
    if (first === type) return `${mnemonic} ${word}, r/m`;
    if (second === type) return `${mnemonic} r/m, ${word}`;
  }
  if (first !== undefined && SEGMENT_REGISTERS.has(first)) return `${mnemonic} Sreg`;
  const isFar = first === 'm16:V' || first === 'ptr16:Z';
  if (isFar) return `${mnemonic} far`;
  return mnemonic === 'MOVSD' && first !== undefined ? 'MOVSD xmm' : mnemonic;
}

/** Every instruction of the opcode table by its name, with its lines; spellings that decode never picks are left out. */
export const INSTRUCTIONS: ReadonlyMap<string, readonly OpcodeForm[]> = byName(
  OPCODES.filter(form => !form.attributes.has('alias')),
);

function byName(forms: readonly OpcodeForm[]): ReadonlyMap<string, readonly OpcodeForm[]> {
  const found = new Map<string, OpcodeForm[]>();
  for (const form of forms) {
    const name = instructionName(form);
    const lines = found.get(name);
    if (lines === undefined) found.set(name, [form]);
    else lines.push(form);
  }
  return found;
}
