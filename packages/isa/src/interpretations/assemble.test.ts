// The encoder by itself: which of several encodings it takes, and its reasons when there is none.
// (packages/assembler holds it against nasm on a corpus over the whole table.)

import {describe, expect, test} from 'vitest';
import {encodeInstruction} from './assemble.js';
import {registerByName} from './assemble-registers.js';
import {isMnemonic, nearestMnemonics} from './assemble-mnemonics.js';
import {
  NO_PREFIXES,
  type AssemblyImmediate,
  type AssemblyMemory,
  type AssemblyOperand,
  type EncodeRequest,
} from './assemble-request.js';
import {OPCODES} from '../opcodes/table.js';
import type {CodeSize} from '../instruction.js';

function named(name: string): AssemblyOperand {
  const register = registerByName(name);
  if (register === undefined) throw new Error(`no register ${name}`);
  return register;
}

function immediate(value: bigint, more: Partial<AssemblyImmediate> = {}): AssemblyImmediate {
  return {
    kind: 'immediate',
    value,
    certainty: 'constant',
    size: undefined,
    strict: false,
    distance: undefined,
    ...more,
  };
}

function memory(displacement: bigint, more: Partial<AssemblyMemory> = {}): AssemblyMemory {
  return {
    kind: 'memory',
    size: undefined,
    distance: undefined,
    segment: undefined,
    terms: [],
    displacementSize: undefined,
    displacement: {value: displacement, certainty: 'constant'},
    reference: 'absolute',
    split: 'allowed',
    ...more,
  };
}

function encode(
  codeSize: CodeSize,
  mnemonic: string,
  operands: readonly (AssemblyOperand | string)[],
  more: Partial<EncodeRequest> = {},
): unknown {
  const written = operands.map(operand => (typeof operand === 'string' ? named(operand) : operand));
  const result = encodeInstruction({
    mnemonic,
    operands: written,
    prefixes: NO_PREFIXES,
    codeSize,
    address: 0n,
    ...more,
  });
  return result.ok ? Buffer.from(result.bytes).toString('hex') : result.failure;
}

describe('of several encodings', () => {
  test('the shortest is taken: a sign-extended byte, an accumulator form, a register in the opcode', () => {
    expect(encode(32, 'add', ['eax', immediate(5n)])).toBe('83c005');
    expect(encode(32, 'add', ['eax', immediate(0x1234n)])).toBe('0534120000');
    expect(encode(32, 'inc', ['eax'])).toBe('40');
    expect(encode(64, 'inc', ['eax'])).toBe('ffc0');
  });

  test('between two registers the first is the r/m field, but for XCHG', () => {
    expect(encode(32, 'mov', ['ebx', 'ecx'])).toBe('89cb');
    expect(encode(32, 'xchg', ['ebx', 'ecx'])).toBe('87d9');
  });

  test('a 64-bit register takes a number of 32 bits as its lower half', () => {
    expect(encode(64, 'mov', ['rax', immediate(5n)])).toBe('b805000000');
    expect(encode(64, 'mov', ['rax', immediate(-1n)])).toBe('48c7c0ffffffff');
    expect(encode(64, 'mov', ['rax', immediate(1n << 40n)])).toBe('48b80000000000010000');
  });

  test('an address is never shortened, because it could move', () => {
    expect(encode(32, 'push', [immediate(5n)])).toBe('6a05');
    expect(encode(32, 'push', [immediate(5n, {certainty: 'local'})])).toBe('6805000000');
    expect(encode(64, 'mov', ['rax', immediate(5n, {certainty: 'local'})])).toBe('48b80500000000000000');
  });

  test('a jump to an address in reach is short; an absolute number is not known to be in reach', () => {
    expect(encode(16, 'jmp', [immediate(0n, {certainty: 'local'})])).toBe('ebfe');
    expect(encode(16, 'jmp', [immediate(0n)])).toBe('e9fdff');
    expect(encode(16, 'jmp', [immediate(500n, {certainty: 'local'})])).toBe('e9f101');
  });

  test('XCHG EAX, EAX in 64-bit code is not NOP, which would keep the upper half of RAX', () => {
    expect(encode(64, 'xchg', ['eax', 'eax'])).toBe('87c0');
    expect(encode(32, 'xchg', ['eax', 'eax'])).toBe('90');
  });

  test('bytes say whether they depend on the address they are at', () => {
    const request = {
      mnemonic: 'jmp',
      operands: [immediate(0n, {certainty: 'local'})],
      prefixes: NO_PREFIXES,
      codeSize: 16,
      address: 0n,
    } as const;
    expect(encodeInstruction(request)).toMatchObject({ok: true, depends: 'here'});
    expect(encodeInstruction({...request, mnemonic: 'hlt', operands: []})).toMatchObject({
      ok: true,
      depends: 'nothing',
    });
  });
});

describe('a refusal says', () => {
  test('which spellings are nearest to an unknown mnemonic', () => {
    expect(encode(32, 'mvo', ['eax', 'ebx'])).toEqual({reason: 'unknown-mnemonic', mnemonic: 'mvo', nearest: ['mov']});
  });

  test('which sizes an operand in memory could have', () => {
    expect(encode(64, 'inc', [memory(0x50n)])).toEqual({
      reason: 'size-not-specified',
      operand: 0,
      sizes: [8, 16, 32, 64],
    });
  });

  test('what range a number must be in', () => {
    expect(encode(32, 'mov', ['al', immediate(300n)])).toEqual({
      reason: 'out-of-range',
      operand: 1,
      value: 300n,
      low: -128n,
      high: 255n,
    });
    expect(encode(64, 'cmp', ['rax', immediate(0x8000_0000n)])).toMatchObject({
      reason: 'out-of-range',
      high: 0x7fff_ffffn,
    });
  });

  test('how far a short jump reaches', () => {
    const target = immediate(200n, {certainty: 'local', distance: 'short'});
    expect(encode(16, 'jmp', [target])).toEqual({reason: 'branch-too-far', operand: 0, distance: 198n, reach: 127n});
  });

  test('in which modes the instruction exists', () => {
    expect(encode(64, 'pusha', [])).toEqual({reason: 'not-in-mode', codeSize: 64, modes: [16, 32]});
    expect(encode(16, 'swapgs', [])).toEqual({reason: 'not-in-mode', codeSize: 16, modes: [64]});
  });

  test('that a register needs 64-bit mode, or must not meet a REX prefix', () => {
    expect(encode(32, 'mov', ['r8d', 'eax'])).toEqual({reason: 'needs-64-bit-mode', operand: 0});
    expect(encode(64, 'mov', ['ah', 'r8b'])).toEqual({reason: 'high-byte-with-rex', operand: 0});
  });

  test('which operands the instruction takes', () => {
    expect(encode(32, 'lidt', ['eax'])).toEqual({reason: 'no-such-form', mnemonic: 'LIDT', accepted: ['LIDT m16&M']});
  });
});

test('every line of the table that is not redundant can be reached by its mnemonic', () => {
  const unreachable = OPCODES.filter(form => !form.attributes.has('redundant'))
    .map(form => form.mnemonic.replace(/cc$/, 'NZ'))
    .filter(mnemonic => !isMnemonic(mnemonic));
  expect(unreachable).toEqual([]);
});

test('a spelling that is near nothing gets no suggestion', () => {
  expect(nearestMnemonics('frobnicate')).toEqual([]);
});
