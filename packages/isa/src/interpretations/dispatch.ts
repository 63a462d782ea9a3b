// The opcode table arranged for decoding: for each opcode byte of each opcode map the lines that may apply, most specific
// first. Built once from OPCODES; the decoder tries at most a handful of lines.

import {OPCODES} from '../opcodes/table.js';
import type {OpcodeForm, OperandType} from '../opcodes/form.js';

export interface Candidate {
  readonly form: OpcodeForm;
  /** The whole ModR/M byte, where it is part of the opcode (0F 01 C1). */
  readonly fixedModrm: number | undefined;
  readonly operand: 'memory' | 'register' | 'any';
  /** 90 is NOP only without REX.B; with it, it is XCHG R8, rAX. (F3 90 is PAUSE with any REX.) */
  readonly excludesRexB: boolean;
}

const MEMORY_ONLY: ReadonlySet<OperandType> = new Set(['m', 'm8', 'mV', 'm16', 'm32', 'm64', 'm128', 'm16&M', 'm16:V']);
const REGISTER_ONLY: ReadonlySet<OperandType> = new Set(['regV', 'regM', 'reg32', 'reg64', 'regXmm', 'regMm']);

/** Candidates by slot: 256 × opcode map (0 one-byte, 1 0F, 2 0F 38, 3 0F 3A; 6 and 7 with VEX) + opcode. */
export const CANDIDATES: readonly (readonly Candidate[])[] = build();

function build(): readonly (readonly Candidate[])[] {
  const slots: Candidate[][] = Array.from({length: 2048}, () => []);
  for (const form of OPCODES) {
    if (form.attributes.has('alias')) continue;
    const {slot, fixedModrm} = placeOf(form);
    const count = form.pattern.low === 'cc' ? 16 : form.pattern.low === 'r' ? 8 : 1;
    const candidate: Candidate = {
      form,
      fixedModrm,
      operand:
        form.pattern.registerOnly || form.operandTypes.some(type => REGISTER_ONLY.has(type))
          ? 'register'
          : form.operandTypes.some(type => MEMORY_ONLY.has(type))
            ? 'memory'
            : 'any',
      excludesRexB: slot === 0x90 && form.pattern.low === undefined && form.pattern.mandatory === undefined,
    };
    for (let i = 0; i < count; i++) slots[slot + i]?.push(candidate);
  }
  for (const slot of slots) slot.sort((a, b) => specificity(b) - specificity(a));
  return slots;
}

function placeOf(form: OpcodeForm): {slot: number; fixedModrm: number | undefined} {
  const [first = 0, second = 0, third] = form.pattern.opcode;
  // A second byte without 0F before it is the ModR/M byte of an x87 instruction.
  if (first !== 0x0f) return {slot: first, fixedModrm: form.pattern.opcode[1]};
  if (second === 0x38 || second === 0x3a)
    return {
      slot: (form.pattern.vex === undefined ? 0 : 1024) + (second === 0x38 ? 512 : 768) + (third ?? 0),
      fixedModrm: undefined,
    };
  return {slot: 256 + second, fixedModrm: third};
}

function specificity({form, fixedModrm}: Candidate): number {
  const {mandatory, low} = form.pattern;
  return (
    (fixedModrm === undefined ? 0 : 8) +
    (mandatory === undefined ? 0 : mandatory === 'NP' ? 2 : 4) +
    (low === 'r' ? 0 : 1)
  );
}
