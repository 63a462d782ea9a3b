import {expect, test} from 'vitest';
import {CODE, GDT, HANDLERS, IDT, SEL, TSS, USER_CODE, protectedMode} from '../machine-fixture.js';
import type {TestMachine} from '../machine-fixture.js';

const NEW_TSS = 0x5_0000,
  SMALL_TSS = 0x5_1000,
  NEW_STACK = 0x5_8000;
const TASK = 0x90,
  SMALL_TASK = 0x98,
  GATE = 0xa0;
const NT = 0x4000n,
  TS = 8n,
  BUSY = 0x200_0000_0000n;

interface Changes {
  readonly ds?: number;
  readonly flags?: number;
  readonly limit?: number;
  readonly trap?: boolean;
}

/** 32-bit protected mode with two more TSSs and a task gate; the new tasks run code at 2:0000h. */
function tasks(code: string, {ds = SEL.data, flags = 2, limit = 0x67, trap = false}: Changes = {}): TestMachine {
  const t = protectedMode({}, code).set({'GDTR.limit': 0xffn, RAX: 1n, RSP: 0x3_8000n});
  t.quad(GDT + SEL.tss, 0x0000_8b00_3000_0fffn);
  t.quad(GDT + TASK, 0x0000_8905_0000_0000n | BigInt(limit));
  t.quad(GDT + SMALL_TASK, 0x0000_8105_1000_002bn);
  t.quad(GDT + GATE, 0x0000_8500_0000_0000n | (BigInt(TASK) << 16n));
  const dword = (at: number, value: number): TestMachine =>
    t.bytes(at, (value + 0x1_0000_0000).toString(16).slice(1).match(/../g)?.reverse().join(' ') ?? '');
  dword(NEW_TSS + 0x20, USER_CODE);
  dword(NEW_TSS + 0x24, flags);
  dword(NEW_TSS + 0x28, 0x1234_5678);
  dword(NEW_TSS + 0x38, NEW_STACK);
  for (const [index, selector] of [SEL.data, SEL.code32, SEL.data, ds, 0, SEL.data].entries())
    dword(NEW_TSS + 0x48 + 4 * index, selector);
  dword(NEW_TSS + 0x60, 0);
  dword(NEW_TSS + 0x64, trap ? 1 : 0);
  const word = (at: number, value: number): void => void t.machine.memory.bytes.set([value & 255, value >> 8], at);
  word(SMALL_TSS + 0x0e, 0x100);
  word(SMALL_TSS + 0x10, 2);
  word(SMALL_TSS + 0x12, 0xabcd);
  word(SMALL_TSS + 0x1a, 0x7000);
  for (const [index, selector] of [SEL.data16, SEL.code16, SEL.data16, SEL.data16].entries())
    word(SMALL_TSS + 0x22 + 2 * index, selector);
  return t;
}

const jumpTo = (selector: number): string => `ea 00 00 00 00 ${selector.toString(16)} 00`;
const callTo = (selector: number): string => `9a 00 00 00 00 ${selector.toString(16)} 00`;

test('JMP to a TSS saves the old task whole, loads the new one, and frees the old', () => {
  const t = tasks(jumpTo(TASK));
  t.steps(1);
  expect(t.exceptions).toEqual([]);
  expect([t.get('RIP'), t.get('RAX'), t.get('RSP'), t.get('TR.selector'), t.get('TR.base')]).toEqual([
    BigInt(USER_CODE),
    0x1234_5678n,
    BigInt(NEW_STACK),
    BigInt(TASK),
    BigInt(NEW_TSS),
  ]);
  expect([t.get('CR0') & TS, t.get('RFLAGS') & NT]).toEqual([TS, 0n]);
  expect([t.read(TSS + 0x20, 4), t.read(TSS + 0x28, 4), t.read(TSS + 0x4c, 2)]).toEqual([
    BigInt(CODE) + 7n,
    1n,
    BigInt(SEL.code32),
  ]);
  expect([t.read(GDT + SEL.tss, 8) & BUSY, t.read(GDT + TASK, 8) & BUSY]).toEqual([0n, BUSY]);
});

test('CALL through a task gate links back, and IRET with NT returns along the link', () => {
  const t = tasks(callTo(GATE)).bytes(USER_CODE, '40 cf');
  t.steps(1);
  expect([t.get('RFLAGS') & NT, t.read(NEW_TSS, 2), t.read(GDT + SEL.tss, 8) & BUSY]).toEqual([
    NT,
    BigInt(SEL.tss),
    BUSY,
  ]);
  t.steps(2);
  expect(t.exceptions).toEqual([]);
  expect([t.get('RIP'), t.get('RAX'), t.get('TR.selector')]).toEqual([BigInt(CODE) + 7n, 1n, BigInt(SEL.tss)]);
  // The called task left with NT cleared, and is available again.
  expect([BigInt(t.read(NEW_TSS + 0x24, 4)) & NT, t.read(NEW_TSS + 0x28, 4), t.read(GDT + TASK, 8) & BUSY]).toEqual([
    0n,
    0x1234_5679n,
    0n,
  ]);
});

test('a 16-bit TSS loads 16-bit registers, with ones above them, and four segments', () => {
  const t = tasks(jumpTo(SMALL_TASK));
  t.steps(1);
  expect(t.exceptions).toEqual([]);
  expect([t.get('RIP'), t.get('RAX'), t.get('RSP'), t.get('CS.selector'), t.get('FS.selector')]).toEqual([
    0x100n,
    0xffff_abcdn,
    0xffff_7000n,
    BigInt(SEL.code16),
    0n,
  ]);
});

test('an exception through a task gate finds its error code on the new stack', () => {
  const t = tasks('8e 1d 00 00 09 00').bytes(0x9_0000, '08 01 00');
  // MOV DS with a selector beyond the GDT: #GP(108h).
  t.quad(IDT + 13 * 8, 0x0000_8500_0000_0000n | (BigInt(TASK) << 16n)).steps(1);
  expect([t.get('RIP'), t.get('RSP'), t.read(NEW_STACK - 4, 4)]).toEqual([
    BigInt(USER_CODE),
    BigInt(NEW_STACK - 4),
    0x108n,
  ]);
  expect(t.read(TSS + 0x20, 4)).toBe(BigInt(CODE));
});

test('a task that is busy, or too small, is refused while the old one still runs', () => {
  const busy = tasks(jumpTo(SEL.tss));
  busy.steps(1);
  expect([busy.exceptions, busy.get('TR.selector')]).toEqual([[`13:${SEL.tss.toString(16)}`], BigInt(SEL.tss)]);
  const small = tasks(jumpTo(TASK), {limit: 0x66});
  small.steps(1);
  expect([small.exceptions, small.get('TR.selector'), small.read(TSS + 0x28, 4)]).toEqual([
    ['10:90'],
    BigInt(SEL.tss),
    0n,
  ]);
});

test("a segment that the new task cannot have is the new task's #TS, before its first instruction", () => {
  const t = tasks(jumpTo(TASK), {ds: SEL.code32 | 4});
  t.steps(1);
  expect(t.exceptions).toEqual(['10:44']);
  expect([t.get('TR.selector'), t.get('RIP'), t.read(NEW_STACK - 12, 4)]).toEqual([
    BigInt(TASK),
    BigInt(HANDLERS + 160),
    BigInt(USER_CODE),
  ]);
});

test('a task with VM in its flags is a virtual-8086 task', () => {
  const t = tasks(jumpTo(TASK), {flags: 0x2_0002});
  t.steps(1);
  expect([t.machine.mode, t.get('CPL'), t.get('CS.base')]).toEqual(['virtual-8086', 3n, BigInt(SEL.code32) << 4n]);
});

test('the T bit of a TSS stops the new task with #DB', () => {
  const t = tasks(jumpTo(TASK), {trap: true});
  t.steps(1);
  expect([t.exceptions, t.get('DR6') & 0x8000n]).toEqual([['1'], 0x8000n]);
});
