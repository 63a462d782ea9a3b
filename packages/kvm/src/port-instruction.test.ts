import {describe, expect, test} from 'vitest';
import {exitingInstruction} from './exiting-instruction.js';

/** The place of the port instruction that these bytes end with, seen from RIP 100h behind them. */
function place(port: number, ...code: readonly number[]) {
  const exit = {reason: 'io', direction: 'out', port, width: 8, count: 1, data: new Uint8Array(1)} as const;
  return exitingInstruction(exit, 0n, 0x100n, () => Uint8Array.from([0, 0, 0, 0, 0, 0, ...code].slice(-6)));
}

describe('the instruction behind an I/O exit', () => {
  test('OUT DX, AL is one byte', () => expect(place(0x3f8, 0x90, 0xee)).toEqual({rip: 0xffn, length: 1}));
  test('OUT imm8, AL is two', () => expect(place(0x80, 0xe6, 0x80)).toEqual({rip: 0xfen, length: 2}));
  test('a port number that looks like an opcode does not deceive', () =>
    expect(place(0xee, 0xe6, 0xee)).toEqual({rip: 0xfen, length: 2}));
  test('an opcode that looks like a port number does not either', () =>
    expect(place(0x3f8, 0xe6, 0xee)).toEqual({rip: 0xffn, length: 1}));
  test('prefixes belong to it', () => expect(place(0x1f0, 0xf3, 0x66, 0x6f)).toEqual({rip: 0xfdn, length: 3}));
  test('is found where only the bytes of itself can be read', () => {
    const exit = {reason: 'io', direction: 'out', port: 0x80, width: 8, count: 1, data: new Uint8Array(1)} as const;
    const read = (rip: bigint, length: number): Uint8Array =>
      rip < 0xfen ? new Uint8Array() : Uint8Array.from([0xe6, 0x80].slice(-length));
    expect(exitingInstruction(exit, 0n, 0x100n, read)).toEqual({rip: 0xfen, length: 2});
  });
  test('unreadable code gives no length', () => expect(place(0x3f8)).toEqual({rip: 0x100n, length: 0}));
});
