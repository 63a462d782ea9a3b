// Every byte of an instruction belongs to one part, and the part says what the byte does.

import {expect, test} from 'vitest';
import type {CodeSize} from '../instruction.js';
import {formSamples} from '../testing/form-samples.js';
import {decode} from './decode.js';
import {encodingParts} from './encoding.js';

function parts(codeSize: CodeSize, hex: string): readonly string[] {
  const decoded = decode(
    Uint8Array.from(hex.split(' '), byte => Number.parseInt(byte, 16)),
    codeSize,
  );
  if (decoded.kind !== 'instruction') throw new Error(`${hex} is ${decoded.kind}`);
  return encodingParts(decoded.instruction).map(part => `${part.bytes} ${part.name}: ${part.meaning}`);
}

test('out dx, al is an opcode alone', () => {
  expect(parts(64, 'EE')).toEqual(['EE opcode: OUT']);
});

test('mov rax, [rbx + rcx*8 + 0x10]', () => {
  expect(parts(64, '48 8B 44 CB 10')).toEqual([
    '48 REX: W: 64-bit operands',
    '8B opcode: MOV',
    '44 ModR/M: mod 01, reg 000, r/m 100; memory, by the SIB byte',
    'CB SIB: scale 11, index 001, base 011; RBX + RCX×8 + displacement',
    '10 disp8: 0x10',
  ]);
});

test('a jump back, a register in the opcode, an extension of the opcode, an address without registers', () => {
  expect(parts(64, '75 FE')).toEqual([
    '75 opcode: JNZ; its low four bits are the condition',
    'FE imm8: −0x2 from the next instruction',
  ]);
  expect(parts(64, '41 B8 2A 00 00 00')).toEqual([
    '41 REX: B: one more bit for r/m, the base or the opcode’s register',
    'B8 opcode: MOV; its low three bits are the register, R8',
    '2A 00 00 00 imm32: 0x2a',
  ]);
  expect(parts(64, '0F 01 18')).toEqual([
    '0F 01 opcode: LIDT',
    '18 ModR/M: mod 00, reg 011, r/m 000; reg is /3 of the opcode; memory at RAX',
  ]);
  expect(parts(16, 'A0 34 12')).toEqual(['A0 opcode: MOV', '34 12 imm16: the address, 0x1234']);
});

test('prefixes say what they do here, also nothing', () => {
  expect(parts(16, '66 67 8B 03')).toContain('66 operand size: operands of 32 bits instead of the usual size');
  expect(parts(64, '48 66 90')[0]).toBe('48 REX: ignored: another prefix follows it');
  expect(parts(64, 'F3 90')[0]).toBe('F3 mandatory: chooses the instruction together with the opcode');
  expect(parts(64, '65 48 8B 04 25 00 00 00 00')[0]).toBe('65 segment: GS instead of the usual segment');
});

test('all over the opcode table the parts are all the bytes, in order', () => {
  const wrong: string[] = [];
  let seen = 0;
  formSamples().forEach(({bytes, codeSize}, index) => {
    const decoded = index % 13 === 0 ? decode(bytes, codeSize) : undefined;
    if (decoded?.kind !== 'instruction') return;
    const {instruction} = decoded;
    const together = encodingParts(instruction).map(part => part.bytes);
    const all = [...instruction.bytes].map(byte => byte.toString(16).toUpperCase().padStart(2, '0')).join(' ');
    if (together.join(' ') !== all) wrong.push(`${all}: ${together.join(' | ')}`);
    seen++;
  });
  expect(wrong).toEqual([]);
  expect(seen).toBeGreaterThan(500);
});
