// Random descriptors in random segment registers in every mode, and ports under random bit maps: the machine against an
// oracle that was written from the manual's pseudo-code alone.

import {hpa} from '@hyperscope/base';
import {describe, expect, test} from 'vitest';
import {CODE, GDT, TSS, USER_CODE, longMode, protectedMode, realMode} from '../machine-fixture.js';
import type {TestMachine} from '../machine-fixture.js';
import {Seeded} from './testing/seeded.js';
import {hiddenPart, loadVerdict, portVerdict, useVerdict} from './testing/segment-oracle.js';
import type {DataRegister, OracleMode} from './testing/segment-oracle.js';

const MODES = ['real', 'virtual-8086', 'protected', 'compatibility', '64-bit'] as const;
const CASES = 1000;
const VM = 1n << 17n;
const LDT = 0xa_0000 - 0x1000;
/** MOV Sreg, BX. */
const LOADS: Readonly<Record<DataRegister, string>> = {
  ES: '8e c3',
  SS: '8e d3',
  DS: '8e db',
  FS: '8e e3',
  GS: '8e eb',
};
const PREFIX: Readonly<Record<DataRegister, string>> = {ES: '26', SS: '36', DS: '3e', FS: '64', GS: '65'};

/** A machine in the mode, about to run `code`, which is at the address that the mode's fixture starts at. */
function machineIn(mode: OracleMode, cpl: number, code: string): TestMachine {
  if (mode === 'real') return realMode(code);
  const ring = cpl === 3 || mode === 'virtual-8086' ? 3 : 0;
  const t =
    mode === 'compatibility' || mode === '64-bit' ? longMode({cpl: ring}, code) : protectedMode({cpl: ring}, code);
  if (mode === 'compatibility') t.set({'CS.attributes': ring === 3 ? 0xc0fbn : 0xc09bn});
  if (mode !== 'virtual-8086') return inRing(t, ring, cpl);
  const segment = {selector: 0x2000, base: BigInt(USER_CODE), limit: 0xffff, attributes: 0xf3};
  for (const register of ['CS', 'SS', 'DS', 'ES', 'FS', 'GS'] as const)
    t.machine.registers.setSegment(register, segment);
  return t.set({RFLAGS: 2n | VM, RIP: 0n, RSP: 0x8000n});
}

/** Rings 1 and 2, from the fixture's ring 0. */
function inRing(t: TestMachine, from: number, cpl: number): TestMachine {
  if (from === cpl) return t;
  for (const register of ['CS', 'SS'] as const) {
    const rights = t.get(`${register}.attributes`);
    t.set({[`${register}.attributes`]: (rights & ~0x60n) | (BigInt(cpl) << 5n)});
  }
  return t.set({CPL: BigInt(cpl)});
}

const firstFault = (t: TestMachine): string => t.exceptions[0] ?? 'none';
const word = (random: Seeded): bigint => BigInt(random.below(0x1_0000));

/** Any 64 bits, but rarely a reserved shape: mostly present data and code. */
function descriptor(random: Seeded): bigint {
  const raw = word(random) | (word(random) << 16n) | (word(random) << 32n) | (word(random) << 48n);
  const type = BigInt(random.below(4) === 0 ? random.below(32) : 0x10 + random.below(16));
  const present = random.below(8) === 0 ? 0n : 1n << 47n;
  return (raw & ~0x9f00_0000_0000n) | (type << 40n) | present;
}

/** Somewhere near what the limit makes interesting. */
function offsetNear(random: Seeded, limit: number): number {
  const near = random.pick([0, limit, 0xffff, 0xffff_ffff, random.below(2 ** 32)]) + random.below(12) - 6;
  return Math.min(Math.max(near, 0), 0xffff_ffff);
}

describe.each(MODES)('segment registers in %s mode', mode => {
  test(`${CASES} loads, each as the manual has it`, () => {
    const random = new Seeded(0x2545_f491 + MODES.indexOf(mode));
    const seen = new Set<string>();
    for (let number = 0; number < CASES; number++) {
      const cpl = mode === 'real' ? 0 : mode === 'virtual-8086' ? 3 : random.below(4);
      const register = random.pick(['ES', 'SS', 'DS', 'FS', 'GS'] as const);
      const index = random.pick([0, 11, 11, 11, 11, 11, 11, 15, 20]);
      const rpl = random.below(3) === 0 ? random.below(4) : cpl;
      const selector = index * 8 + random.pick([0, 0, 4]) + rpl;
      const raw = descriptor(random);
      const ldtLimit = random.pick([-1, 0x5f, 0xff]);
      const t = machineIn(mode, cpl, LOADS[register]).set({RBX: BigInt(selector), 'GDTR.limit': 0x7fn});
      t.quad(GDT + index * 8, index === 0 ? 0n : raw).quad(LDT + index * 8, raw);
      const attributes = ldtLimit < 0 ? 0x1_0000 : 0x82;
      t.machine.registers.setSegment('LDTR', {
        selector: 8,
        base: BigInt(LDT),
        limit: Math.max(ldtLimit, 0),
        attributes,
      });
      t.steps(1);
      const expected = loadVerdict({mode, cpl, register, selector, descriptor: raw, gdtLimit: 0x7f, ldtLimit});
      const told = {mode, cpl, register, selector: selector.toString(16), raw: raw.toString(16), ldtLimit};
      expect({...told, verdict: firstFault(t)}).toEqual({...told, verdict: expected});
      seen.add(expected.split(':')[0] ?? '');
      if (expected !== 'none' || mode === 'real' || mode === 'virtual-8086' || selector <= 3) continue;
      const {base, limit} = hiddenPart(raw);
      const table = (selector & 4) === 0 ? GDT : LDT;
      expect({...told, base: t.get(`${register}.base`), limit: t.get(`${register}.limit`)}).toEqual({
        ...told,
        base: BigInt(base),
        limit: BigInt(limit),
      });
      expect(t.read(table + index * 8 + 5, 1) & 1n).toBe(1n);
    }
    const hasDescriptors = mode !== 'real' && mode !== 'virtual-8086';
    expect([...seen].sort()).toEqual(hasDescriptors ? ['11', '12', '13', 'none'] : ['none']);
  });
});

describe.each(['real', 'virtual-8086', 'protected', 'compatibility'] as const)('uses of a segment in %s mode', mode => {
  test(`${CASES} accesses, each as the manual has it`, () => {
    const random = new Seeded(0x9e37_79b9 + MODES.indexOf(mode));
    const isSmall = mode === 'real' || mode === 'virtual-8086';
    const seen = new Set<string>();
    for (let number = 0; number < CASES; number++) {
      const register = random.pick(['ES', 'SS', 'DS', 'FS', 'GS'] as const);
      const bytes = random.pick([1, 2, 4]);
      const access = random.pick(['read', 'write'] as const);
      const opcode = (access === 'read' ? 0x8a : 0x88) + (bytes === 1 ? 0 : 1);
      // mov [ebx], al, ax or eax, and back; the address size is 32 bits in every mode.
      const sizes = [...(isSmall ? ['67'] : []), ...((bytes === 4) === isSmall && bytes !== 1 ? ['66'] : [])];
      const code = [PREFIX[register], ...sizes, opcode.toString(16), '03'].join(' ');
      const t = machineIn(mode, 0, code);
      const isNull = register !== 'SS' && random.below(12) === 0;
      const raw =
        (descriptor(random) & ~0x9c00_0000_0000n) |
        0x9000_0000_0000n |
        (BigInt(random.pick([0, 0x400, 0xa00, 0xe00])) << 32n);
      const {base, limit} = hiddenPart(raw);
      const attributes = isNull ? 0x1_0000 : Number((raw >> 40n) & 0xf0ffn) | 1;
      if (!isSmall) t.machine.registers.setSegment(register, {selector: 0x58, base: BigInt(base), limit, attributes});
      const offset = offsetNear(random, isSmall ? 0xffff : limit);
      t.set({RBX: BigInt(offset)}).steps(1);
      const using = {mode, register, descriptor: isNull ? undefined : raw, offset, bytes, access};
      const expected = useVerdict(using);
      // Where segmentation has no objection, the page behind the address may still be absent.
      const got = firstFault(t).startsWith('14:') ? 'none' : firstFault(t);
      const told = {...using, descriptor: isNull ? 'null' : raw.toString(16)};
      expect({...told, verdict: got}).toEqual({...told, verdict: expected});
      seen.add(expected);
    }
    expect(seen.size).toBe(3);
  });
});

test(`${CASES} port accesses in every mode, under random bit maps, each as the manual has it`, () => {
  const random = new Seeded(0x1234_5679);
  const seen = new Set<string>();
  for (let number = 0; number < CASES; number++) {
    const mode = random.pick(MODES);
    const cpl = mode === 'real' ? 0 : mode === 'virtual-8086' ? 3 : random.pick([0, 3]);
    const iopl = random.below(4);
    const bytes = random.pick([1, 2, 4]);
    const isSmall = mode === 'real' || mode === 'virtual-8086';
    const code = `${(bytes === 4) === isSmall && bytes !== 1 ? '66 ' : ''}${bytes === 1 ? 'ec' : 'ed'}`;
    const port = random.below(0x400);
    const tssLimit = 0x67 + random.below(0x140);
    const mapBase = 0x68 + random.below(0x80);
    const t = machineIn(mode, cpl, code).set({RDX: BigInt(port), 'TR.limit': BigInt(tssLimit)});
    t.set({RFLAGS: t.get('RFLAGS') | (BigInt(iopl) << 12n)});
    const map = Uint8Array.from({length: 0x400}, () => (random.below(3) === 0 ? random.below(256) : 0));
    t.machine.memory.load(hpa(TSS + 0x68), map);
    t.machine.memory.write(hpa(TSS + 0x66), 2, BigInt(mapBase));
    t.steps(1);
    const tss = t.machine.memory.bytes.subarray(TSS, TSS + 0x468);
    const expected = portVerdict({mode, cpl, iopl, port, bytes, tssLimit, mapBase, tss});
    const told = {mode, cpl, iopl, port, bytes, tssLimit, mapBase};
    expect({...told, verdict: firstFault(t)}).toEqual({...told, verdict: expected});
    seen.add(`${mode} ${expected}`);
  }
  expect(seen.size).toBe(9);
});

test('MOV to CS does not exist, in any mode', () => {
  for (const mode of MODES) {
    const t = machineIn(mode, mode === 'virtual-8086' ? 3 : 0, '8e cb');
    t.steps(1);
    expect([mode, t.exceptions[0], t.get('RIP') === BigInt(CODE)]).toEqual([mode, '6', false]);
  }
});
