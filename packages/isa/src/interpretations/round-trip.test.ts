import {describe, expect, test} from 'vitest';
import fc from 'fast-check';
import type {CodeSize, Instruction} from '../instruction.js';
import {formSamples} from '../testing/form-samples.js';
import {requestOf} from '../testing/requests.js';
import {encodeInstruction} from './assemble.js';
import {decode} from './decode.js';
import {disassemble} from './disassemble.js';

const ADDRESS = 0x1000n;

function decoded(bytes: Uint8Array, codeSize: CodeSize): Instruction | undefined {
  const result = decode(bytes, codeSize);
  return result.kind === 'instruction' ? result.instruction : undefined;
}

/** Encodings that processors run and NASM has no words for: they change nothing, or their result is undefined. */
function isUnwritable(i: Instruction): boolean {
  if (i.form.syntax === 'NOP r/mV, rV') return true;
  if (i.width !== 16) return i.form.mnemonic === 'MOVSXD' && i.width === 32;
  return (
    /^(BSWAP|MOVSXD)$/.test(i.form.mnemonic) ||
    (/^MOV[SZ]X$/.test(i.form.mnemonic) && i.form.operandTypes.includes('r/m16'))
  );
}

/** What decode → encode → decode does to an instruction; undefined when it is the same afterwards. */
function change(instruction: Instruction): string | undefined {
  if (isUnwritable(instruction)) return undefined;
  const text = disassemble(instruction, ADDRESS);
  const encoded = encodeInstruction(requestOf(instruction, ADDRESS));
  if (!encoded.ok)
    return `${instruction.codeSize}: ${text} is refused: ${JSON.stringify(encoded.failure, (_, v: unknown) => (typeof v === 'bigint' ? String(v) : v))}`;
  const again = decoded(encoded.bytes, instruction.codeSize);
  const after = again === undefined ? 'nothing' : disassemble(again, ADDRESS);
  return sameText(text, after) ? undefined : `${instruction.codeSize}: ${text} became ${after}`;
}

/**
 * One spelling for what means the same: SAL is SHL; XCHG either way round (and NOP for AX with itself), a selector in 32 or 64 bits of
 * a register (the rest is 0), an EIP-relative address or the absolute one that it comes to.
 */
function meaning(text: string): string {
  const plain = text
    .replace(/^a32 /, '')
    .replace(/^sal /, 'shl ')
    .replace('[dword rel ', '[')
    .replace(/^(mov|sldt|str) (r|e)([a-z]{2})(?=$|, [c-gs]s$)/, '$1 $3')
    .replace(/^(mov|sldt|str) (r\d+)d?(?=$|, [c-gs]s$)/, '$1 $2');
  const [, a = '', b = ''] = /^xchg (.*), (.*)$/.exec(plain) ?? [];
  if (a === '') return plain;
  return a === b && a.endsWith('ax') ? 'nop' : `xchg ${[a, b].sort().join(', ')}`;
}

const sameText = (before: string, after: string): boolean => meaning(before) === meaning(after);

describe('decode and encode', () => {
  test('every form of the table comes back as what it was', () => {
    const changes = formSamples()
      .filter((_, n) => n % 3 === 0)
      .flatMap(({codeSize, bytes}) => {
        const instruction = decoded(bytes, codeSize);
        return instruction === undefined ? [] : (change(instruction) ?? []);
      });
    expect([...new Set(changes)].slice(0, 40)).toEqual([]);
  }, 120_000);

  test('random instructions come back as what they were', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<CodeSize>(16, 32, 64),
        fc.uint8Array({minLength: 16, maxLength: 16}),
        (codeSize, bytes) => {
          const instruction = decoded(bytes, codeSize);
          fc.pre(instruction !== undefined && instruction.parts.prefixes[1] === 0);
          return instruction === undefined || change(instruction) === undefined;
        },
      ),
      {seed: 20261122, numRuns: 3000},
    );
  }, 60_000);
});
