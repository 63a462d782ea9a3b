// "What if x86 had trapped": on the strict processor every sensitive instruction gives #GP(0) outside ring 0.

import {describe, expect, test} from 'vitest';
import {longMode, protectedMode} from '../machine-fixture.js';
import type {TestMachine} from '../machine-fixture.js';
import {withFeature} from './features.js';
import {MODERN_INTEL, NEHALEM, withStrictness} from './profiles.js';

const STRICT = withStrictness(NEHALEM);
const GP = ['13:0'];

type Ring = 0 | 1 | 3;

/** One instruction in 32-bit protected mode, at a ring. */
function tried(profile: typeof NEHALEM, ring: Ring, code: string, rflags = 2n): TestMachine {
  const t = protectedMode({cpl: ring === 0 ? 0 : 3, rflags, profile}, code);
  // Ring 1 fetches and accesses as ring 3 does here: segments are flat and there is no paging.
  if (ring === 1) t.set({CPL: 1n});
  t.set({RAX: 0x10n, RBX: 0x5_0000n, RDX: 0x80n}).steps(1);
  return t;
}

const SENSITIVE: readonly (readonly [string, string])[] = [
  ['SGDT', '0f 01 03'],
  ['SIDT', '0f 01 0b'],
  ['SLDT', '0f 00 c0'],
  ['STR', '0f 00 c8'],
  ['SMSW', '0f 01 e0'],
  ['PUSHFD', '9c'],
  ['POPFD', '9d'],
  ['LAR', '0f 02 c8'],
  ['LSL', '0f 03 c8'],
  ['VERR', '0f 00 e0'],
  ['VERW', '0f 00 e8'],
  ['PUSH CS', '0e'],
  ['MOV EAX, CS', '8c c8'],
  ['MOV ES, AX', '8e c0'],
  ['RDTSC', '0f 31'],
  ['CPUID', '0f a2'],
  ['CLI', 'fa'],
  ['IN AL, DX', 'ec'],
];

describe.each(SENSITIVE)('%s', (_, code) => {
  test('traps in rings 1 and 3, whatever IOPL is, and not in ring 0', () => {
    for (const rflags of [2n, 0x3002n]) {
      expect(tried(STRICT, 1, code, rflags).exceptions).toEqual(GP);
      expect(tried(STRICT, 3, code, rflags).exceptions).toEqual(GP);
      expect(tried(STRICT, 3, code, rflags).why).toBe('CPL = 0');
      expect(tried(STRICT, 0, code, rflags).exceptions).toEqual([]);
    }
  });
});

test('without it, POPF in ring 3 drops IF and nobody is told; with it, the system is', () => {
  const popf = (profile: typeof NEHALEM): TestMachine =>
    longMode({cpl: 3, rflags: 0x202n, profile}, '6a 02', '9d', 'f4').after(2); // push 2; popf
  const [silent, told] = [popf(NEHALEM), popf(STRICT)];
  expect([silent.exceptions, silent.get('RFLAGS') & 0x200n]).toEqual([[], 0x200n]);
  expect(told.exceptions).toEqual(GP);
});

test('what is innocuous runs in ring 3, and system calls enter the system', () => {
  for (const code of ['01 d8', '50', 'f8', '8b 03', 'e8 00 00 00 00', '0f b1 c3'])
    expect(tried(STRICT, 3, code).exceptions).toEqual([]);
  const call = tried(STRICT, 3, 'cd 80');
  expect([call.exceptions, call.get('CPL')]).toEqual([[], 0n]);
});

test('strictness is a property of the processor beside its features, and the id says so', () => {
  expect(STRICT.id).toBe('nehalem,+strict');
  expect(withFeature(STRICT, 'nx', 'off').strict).toBe(true);
  expect(withStrictness(STRICT)).toBe(STRICT);
  expect(MODERN_INTEL.strict).toBe(false);
});
