import {expect, test} from 'vitest';
import {protectedMode} from '../machine-fixture.js';
import type {TestMachine} from '../machine-fixture.js';
import {PENTIUM, PENTIUM_III} from './profiles-early.js';

/** WRMSR, RDMSR, HLT with an MSR and a value. */
function written(msr: number, value: bigint, profile = PENTIUM_III): TestMachine {
  const t = protectedMode({profile}, '0f 30 31 c0 31 d2 0f 32 f4');
  t.set({RCX: BigInt(msr), RAX: value & 0xffff_ffffn, RDX: value >> 32n}).run();
  return t;
}

test.each([
  ['the base of a range', 0x200, 0x1000_0006n],
  ['the mask of a range', 0x201, 0xf_f000_0800n],
  ['a fixed range', 0x26f, 0x0605_0401_0006_0600n],
  ['the default type', 0x2ff, 0xc06n],
])('%s is kept as it was written', (_, msr, value) => {
  const t = written(msr, value);
  expect([t.exceptions, (t.get('RDX') << 32n) | t.get('RAX')]).toEqual([[], value]);
});

test.each([
  ['a type that does not exist in a base', 0x200, 2n],
  ['a type that does not exist in a fixed range', 0x250, 0x0700n],
  ['a type that does not exist by default', 0x2ff, 3n],
  ['reserved bits of a base', 0x202, 0x106n],
  ['an address beyond MAXPHYADDR', 0x203, 1n << 36n],
  ['reserved bits of the default type', 0x2ff, 0x1006n],
  ['IA32_MTRRCAP, which is read-only', 0xfe, 0n],
  ['a ninth range', 0x210, 0n],
])('%s is #GP(0)', (_, msr, value) => expect(written(msr, value).exceptions).toEqual(['13:0']));

test('a processor that does not announce them has none', () =>
  expect(written(0x2ff, 6n, PENTIUM).exceptions).toEqual(['13:0']));

test('IA32_MTRRCAP tells of eight variable ranges, the fixed ones and write combining', () => {
  const t = protectedMode({profile: PENTIUM_III}, '0f 32 f4').set({RCX: 0xfen});
  t.run();
  expect(t.get('RAX')).toBe(0x508n);
});

test('RESET disables the ranges and leaves the rest of them', () => {
  const after = ([msr, value]: readonly [number, bigint]): bigint | undefined => {
    const t = written(msr, value);
    t.machine.reset();
    return t.machine.processor.memoryTypeRanges.read(msr);
  };
  const cases = [
    [0x201, 0xf_f000_0800n],
    [0x200, 0x1000_0006n],
    [0x26f, 0x0606n << 8n],
    [0x2ff, 0xc06n],
  ] as const;
  expect(cases.map(after)).toEqual([0xf_f000_0000n, 0x1000_0006n, 0x06_0600n, 0x406n]);
});
