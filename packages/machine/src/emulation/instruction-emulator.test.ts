import {expect, test} from 'vitest';
import {WESTMERE_COSTS} from '../cpu/cost-model.js';
import {WESTMERE} from '../cpu/profiles.js';
import {resetRegisters} from '../cpu/reset.js';
import {InstructionEmulator} from './instruction-emulator.js';

/** Real mode at 1000h; what lies in `bytes` is read, and every access to data is told as '1 @ b8000 ← 41'. */
function emulate(code: readonly number[], registers: {readonly RAX?: bigint; readonly RBX?: bigint}) {
  const bytes = new Map(code.map((byte, index) => [0x1000 + index, byte]));
  const told: string[] = [];
  let executing = false;
  const emulator = new InstructionEmulator(WESTMERE, WESTMERE_COSTS, {
    read: (at, count) => {
      if (executing) told.push(`${count} @ ${at.toString(16)}`);
      return BigInt(bytes.get(at) ?? 0x77);
    },
    write: (at, count, value) => told.push(`${count} @ ${at.toString(16)} ← ${value.toString(16)}`),
  });
  const r = emulator.registers;
  resetRegisters(r, WESTMERE);
  for (const [cell, value] of [
    ['CS.selector', 0n],
    ['CS.base', 0n],
    ['RIP', 0x1000n],
    ['DS.base', 0xb_8000n],
    ['RAX', registers.RAX ?? 0n],
    ['RBX', registers.RBX ?? 0n],
  ] as const)
    r.set(cell, value);
  const microcode = emulator.fetch();
  if (!('operations' in microcode)) return {told, result: microcode, r};
  executing = true;
  return {told, result: emulator.execute(microcode), r};
}

test('a store is asked of the memory’s owner, and RIP moves on', () => {
  const {told, result, r} = emulate([0xa2, 0x10, 0x00], {RAX: 0x41n}); // mov [10h], al
  expect([told, result, r.get('RIP')]).toEqual([['1 @ b8010 ← 41'], 'completed', 0x1003n]);
});

test('a read-modify-write reads once and writes once, with the flags of the processor', () => {
  const {told, r} = emulate([0x00, 0x1e, 0x10, 0x00], {RBX: 0x89n}); // add [10h], bl
  expect(told).toEqual(['1 @ b8010', '1 @ b8010 ← 0']);
  expect([r.flag('ZF'), r.flag('CF')]).toEqual([true, true]);
});

test('one round of a repeated string instruction leaves RIP where it is', () => {
  const {told, result, r} = emulate([0xf3, 0xac], {}); // rep lodsb with CX = 0 first
  expect([told, result, r.get('RIP')]).toEqual([[], 'completed', 0x1002n]);
});

test('a fault is a value, and the registers are as before', () => {
  const {result, r} = emulate([0x0f, 0x0b], {}); // ud2
  expect(result).toMatchObject({kind: 'fault', vector: 6});
  expect(r.get('RIP')).toBe(0x1000n);
});
