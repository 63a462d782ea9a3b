// Segments: limits, rights, null selectors, and what a load of a segment register checks.

import {expect, test} from 'vitest';
import {GDT, SEL, longMode, protectedMode, realMode} from '../machine-fixture.js';

const HLT = 'f4';
const load = (register: 'ds' | 'ss' | 'es', selector: number): string =>
  `66 b8 ${(selector & 0xff).toString(16)} 00 8e ${{ds: 'd8', ss: 'd0', es: 'c0'}[register]}`; // mov ax, selector; mov sreg, ax

test('the last byte of an access may not lie beyond the limit', () => {
  const inside = protectedMode({}, load('ds', SEL.small), 'a1 0c 00 00 00', HLT); // mov eax, [0ch]
  inside.run();
  expect(inside.exceptions).toEqual([]);
  const outside = protectedMode({}, load('ds', SEL.small), 'a1 0d 00 00 00', HLT);
  outside.run();
  expect(outside.exceptions).toEqual(['13:0']);
  expect(outside.why).toBe('last byte ≤ DS limit');
});

test('beyond the limit of SS it is #SS(0)', () => {
  const t = protectedMode({}, load('ss', SEL.small), '36 a1 0d 00 00 00', HLT); // mov eax, ss:[0dh]
  t.steps(3);
  expect(t.exceptions[0]).toBe('12:0');
});

test('an expand-down segment begins above its limit', () => {
  const t = protectedMode({}, load('ds', SEL.expandDown), 'a1 00 10 00 00', 'a1 fd 0f 00 00', HLT);
  t.run();
  expect(t.exceptions).toEqual(['13:0']);
  expect(t.get('RIP')).not.toBe(0n);
  expect(t.why).toBe('offset > DS limit (expand-down)');
});

test('a read-only segment is read and not written', () => {
  const t = protectedMode({}, load('ds', SEL.readOnly), 'a1 00 00 01 00', 'a3 00 00 01 00', HLT);
  t.run();
  expect(t.exceptions).toEqual(['13:0']);
  expect(t.why).toBe('the segment in DS is writable');
});

test('a null selector may be loaded into DS and not used', () => {
  const t = protectedMode({}, load('ds', 0), 'a1 00 00 01 00', HLT);
  t.steps(2);
  expect(t.exceptions).toEqual([]);
  t.run();
  expect(t.exceptions).toEqual(['13:0']);
  expect(t.why).toBe('DS holds a segment (not the null selector)');
});

test('a null selector may not be loaded into SS', () => {
  const t = protectedMode({}, load('ss', 0), HLT);
  t.run();
  expect(t.exceptions).toEqual(['13:0']);
});

test.each([
  ['a segment that is not present', SEL.notPresent, '11:70'],
  ['a selector beyond the GDT', 0xf8, '13:f8'],
  ['a TSS', SEL.tss, '13:30'],
])('%s cannot be loaded into DS', (_, selector, expected) => {
  const t = protectedMode({}, load('ds', selector), HLT);
  t.run();
  expect(t.exceptions).toEqual([expected]);
});

test('ring 3 cannot load a ring-0 data segment', () => {
  const t = protectedMode({cpl: 3}, load('ds', SEL.data));
  t.run();
  expect(t.exceptions).toEqual(['13:10']);
  expect(t.why).toBe('max(CPL, RPL) ≤ DPL, or the segment is conforming code');
});

test('a load sets the accessed bit in the descriptor table', () => {
  const t = protectedMode({}, load('ds', SEL.data), HLT).quad(GDT + SEL.data, 0x00cf_9200_0000_ffffn);
  t.run();
  expect(t.read(GDT + SEL.data + 5, 1)).toBe(0x93n);
});

test('LTR makes the TSS busy, and a busy one cannot be loaded', () => {
  const t = protectedMode({}, '66 b8 30 00', '0f 00 d8', '0f 00 d8', HLT); // mov ax, 30h; ltr ax; ltr ax
  t.steps(2);
  expect(t.read(GDT + SEL.tss + 5, 1)).toBe(0x8bn);
  t.run();
  expect(t.exceptions).toEqual(['13:30']);
});

test('in 64-bit mode DS has no limit and no base, FS has its base', () => {
  const t = longMode({}, '8b 04 25 00 00 05 00', '64 8b 1c 25 00 00 00 00', HLT) // mov eax, [50000h]; mov ebx, fs:[0]
    .set({'DS.limit': 0n, 'DS.base': 0x1000n, 'FS.base': 0x5_0000n})
    .quad(0x5_0000, 77n);
  t.run();
  expect([t.get('RAX'), t.get('RBX'), t.exceptions]).toEqual([77n, 77n, []]);
});

test('in real mode a word at offset FFFFh is #GP', () => {
  const t = realMode('a1 ff ff', HLT); // mov ax, [ffffh]
  t.run();
  expect(t.exceptions).toEqual(['13:0']);
});

test('in real mode a load keeps limit and rights: the limit set in protected mode stays ("unreal mode")', () => {
  const t = realMode('31 c0', '8e d8', '66 67 a1 00 00 10 00', HLT).set({'DS.limit': 0xffff_ffffn}).quad(0x10_0000, 5n); // xor ax, ax; mov ds, ax; mov eax, [dword 100000h]
  t.run();
  expect([t.get('RAX'), t.exceptions]).toEqual([5n, []]);
});
