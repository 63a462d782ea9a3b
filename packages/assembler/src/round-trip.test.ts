// Encode, decode, write down, encode again: what the assembler makes is what the decoder reads. Needs no oracle.

import {describe, expect, test} from 'vitest';
import fc from 'fast-check';
import {decode, disassemble, OPCODES, type CodeSize, type Instruction} from '@hyperscope/isa';
import {assemble} from './assembler.js';
import {lineFor} from './testing/corpus.js';
import {Random} from './testing/random.js';

/** Far enough from 0 and from 64 KiB that no target of the corpus wraps in 16-bit code. */
const ORIGIN = 0x4000n;

function bytesOf(line: string, bits: CodeSize): Uint8Array | undefined {
  const result = assemble(`bits ${bits}\norg ${ORIGIN}\n${line}\n`);
  return result.ok ? result.bytes : undefined;
}

function decoded(bytes: Uint8Array, bits: CodeSize): Instruction | undefined {
  const result = decode(bytes, bits);
  return result.kind === 'instruction' ? result.instruction : undefined;
}

/** What an instruction is, whatever its bytes are. */
function meaning(instruction: Instruction): unknown {
  const {mnemonic, width, addressSize, operands, prefixes} = instruction;
  const {lock, repeat} = prefixes;
  // A displacement counts from the end of the instruction, and another encoding may end elsewhere.
  const end = BigInt(instruction.bytes.length);
  const placed = operands.map(operand => {
    if (operand.kind === 'relative') return {kind: operand.kind, target: operand.displacement + end};
    if (operand.kind === 'memory' && operand.base === 'RIP')
      return {...operand, displacement: operand.displacement + end};
    return operand;
  });
  // XCHG is symmetric, and nasm writes two registers the other way round than the manual's line has them.
  const symmetric = mnemonic === 'XCHG' && operands.every(({kind}) => kind === 'register');
  const pair = symmetric
    ? new Set(operands.map(operand => ('register' in operand ? operand.register : '')))
    : undefined;
  // 66 90 is NOP too: an operand size that nothing has is no difference.
  const sized = operands.length > 0 || mnemonic !== 'NOP';
  const hasMemory = operands.some(({kind}) => kind === 'memory');
  return {
    mnemonic,
    width: sized ? width : undefined,
    address: hasMemory ? addressSize : undefined,
    operands: pair ?? placed,
    lock,
    repeat,
  };
}

const anyLine = fc
  .record({
    form: fc.constantFrom(...OPCODES.filter(form => !form.attributes.has('redundant'))),
    bits: fc.constantFrom<CodeSize>(16, 32, 64),
    seed: fc.nat(),
  })
  .map(({form, bits, seed}) => ({bits, line: lineFor(form, bits, new Random(seed))}));

describe('round trip', () => {
  test('what the assembler makes of a line, the decoder reads as one instruction of the same length', () => {
    let encoded = 0;
    fc.assert(
      fc.property(anyLine, ({bits, line}) => {
        const bytes = bytesOf(line, bits);
        if (bytes === undefined) return;
        encoded++;
        const result = decode(bytes, bits);
        // What the processor refuses, an assembler may still be told to write.
        if (result.kind === 'undefined' && line.startsWith('mov cs,')) return;
        expect(result.kind === 'instruction' ? result.instruction.bytes.length : result).toBe(bytes.length);
      }),
      {numRuns: 3000, seed: 20261122},
    );
    expect(encoded).toBeGreaterThan(1500);
  }, 60_000);

  test('an instruction that was decoded, written down and assembled again has the same meaning', () => {
    let compared = 0;
    fc.assert(
      fc.property(anyLine, ({bits, line}) => {
        const bytes = bytesOf(line, bits);
        const first = bytes === undefined ? undefined : decoded(bytes, bits);
        if (first === undefined) return;
        const text = disassemble(first, ORIGIN);
        const again = bytesOf(text, bits);
        const second = again === undefined ? undefined : decoded(again, bits);
        expect({text, meaning: second && meaning(second)}).toEqual({text, meaning: meaning(first)});
        compared++;
      }),
      {numRuns: 3000, seed: 20261122},
    );
    expect(compared).toBeGreaterThan(1500);
  }, 60_000);
});
