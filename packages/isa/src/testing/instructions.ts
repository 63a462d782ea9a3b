// For tests: an instruction from its bytes, written in hexadecimal.

import type {CodeSize, Instruction} from '../instruction.js';
import {decode} from '../interpretations/decode.js';
import type {Microcode} from '../microcode/microcode.js';
import {recordMicrocode} from '../microcode/microcode.js';

export function instructionOf(text: string, codeSize: CodeSize = 64): Instruction {
  const result = decode(Uint8Array.from(text.split(' ').map(byte => parseInt(byte, 16))), codeSize);
  if (result.kind !== 'instruction') throw new Error(`${text}: ${result.kind}`);
  return result.instruction;
}

export const microcodeOf = (text: string, codeSize: CodeSize = 64): Microcode =>
  recordMicrocode(instructionOf(text, codeSize));
