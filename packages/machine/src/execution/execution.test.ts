// The loop as a whole: code that rewrites itself, repeated instructions, counters, and a look inside an instruction.

import {expect, test} from 'vitest';
import {CODE, HANDLERS, longMode, pteAt, realMode} from '../machine-fixture.js';

const HLT = 'f4';

test('code that rewrites the next instruction runs as rewritten', () => {
  // mov byte [10008h], 0f4h; nop → hlt
  const t = longMode({}, 'c6 04 25 08 00 01 00 f4', '90', 'eb fe');
  expect(t.run(10).last.kind).toBe('halted');
});

test('code that was decoded before and rewritten since runs as rewritten', () => {
  // first pass: inc eax, then patch it to dec eax (ff c8) and loop back once
  const t = longMode({}, 'ff c0', '85 db', '75 0d', 'ff c3', 'c6 04 25 01 00 01 00 c8', 'eb ee', '90', HLT);
  t.run();
  expect(t.get('RAX')).toBe(0n);
});

test('a write to the same page elsewhere does not disturb what was decoded', () => {
  const t = longMode({}, 'ff c0', 'c6 04 25 00 08 01 00 01', '83 f8 03', '75 f1', HLT);
  t.run();
  expect(t.get('RAX')).toBe(3n);
});

test('an instruction that crosses a page faults on its second page before it does anything', () => {
  const t = longMode({})
    .bytes(CODE + 0xffe, 'b8 01 00 00 00', HLT)
    .quad(pteAt(CODE + 0x1000), 0n)
    .set({RIP: BigInt(CODE + 0xffe)});
  t.run();
  expect(t.exceptions).toEqual(['14:10']);
  expect([t.get('CR2'), t.get('RAX')]).toEqual([BigInt(CODE + 0x1000), 0n]);
});

test('an instruction that crosses a page runs', () => {
  const t = longMode({})
    .bytes(CODE + 0xffe, 'b8 2a 00 00 00', HLT)
    .set({RIP: BigInt(CODE + 0xffe)});
  t.run();
  expect(t.get('RAX')).toBe(42n);
});

test('REP MOVSB goes one iteration a step and retires once', () => {
  const t = longMode({}, 'f3 a4', HLT).set({RSI: 0x5_0000n, RDI: 0x5_1000n, RCX: 3n}).quad(0x5_0000, 0x030201n);
  t.steps(2);
  expect([t.get('RIP'), t.get('RCX')]).toEqual([BigInt(CODE), 1n]);
  t.steps(1);
  expect([t.get('RIP'), t.get('INSTRUCTIONS'), t.read(0x5_1000, 4)]).toEqual([BigInt(CODE + 2), 1n, 0x030201n]);
});

test('a repeated store that faults has done the iterations before', () => {
  const t = longMode({}, 'f3 aa', HLT).set({RDI: 0xf_fffen, RCX: 4n, RAX: 7n}).quad(pteAt(0x10_0000), 0n); // rep stosb
  t.run();
  expect(t.exceptions).toEqual(['14:2']);
  expect([t.get('RCX'), t.get('RDI'), t.read(0xf_fffe, 2)]).toEqual([2n, 0x10_0000n, 0x0707n]);
});

test('a faulting POP has not moved the stack pointer', () => {
  const t = longMode({}, '58').set({RSP: 0x10_0000n}).quad(pteAt(0x10_0000), 0n);
  t.steps(1);
  expect(t.exceptions).toEqual(['14:0']);
  expect(t.read(0xf_fff0, 8)).toBe(0x10_0000n); // the pushed RSP
});

test('32-bit results clear the upper half, 16-bit ones keep it', () => {
  const t = longMode({}, '31 c0', '66 31 db', HLT).set({RAX: 0xffff_ffff_ffff_ffffn, RBX: 0xffff_ffff_ffff_ffffn});
  t.run();
  expect([t.get('RAX'), t.get('RBX')]).toEqual([0n, 0xffff_ffff_ffff_0000n]);
});

test('cycles and retired instructions advance by the cost model and are the same in every run', () => {
  const once = (): readonly bigint[] => {
    const t = realMode('e6 80', 'b8 01 00', HLT);
    t.run();
    return [t.get('INSTRUCTIONS'), t.get('CYCLES'), t.get('TSC')];
  };
  expect(once()).toEqual([3n, 1503n, 1503n]);
  expect(once()).toEqual(once());
});

test('each operation of an instruction can be watched with its value', () => {
  const t = longMode({}, '48 01 d8').set({RAX: 2n, RBX: 3n}); // add rax, rbx
  const seen: string[] = [];
  t.machine.executor.traceOperations = (_, operation, value) =>
    seen.push(value === undefined ? operation.op : `${operation.op} ${value}`);
  t.steps(1);
  expect(seen).toContain('register 2');
  expect(seen).toContain('binary 5');
  expect(seen.some(line => line.startsWith('setRegister'))).toBe(true);
});

test.each([
  // RBP at the top of the stack: the frame pointer below it is what ENTER itself has just pushed.
  [0n, 0x3_8000n],
  // Four bytes above it: the low half is the upper half of what was pushed, the high half what was there before.
  [4n, 0x3333_3333_0000_0000n],
])('ENTER reads frame pointers after the pushes before them (RBP %d above RSP)', (above, read) => {
  const t = longMode({}, 'c8 10 00 02', HLT) // enter 16, 2
    .set({RSP: 0x3_8000n, RBP: 0x3_8000n + above})
    .quad(0x3_8000, 0x3333_3333n);
  t.run();
  expect(t.read(0x3_7ff0, 8)).toBe(read);
});

test('a single-step trap behind HLT wakes the processor', () => {
  // pushfq; or qword [rsp], 100h; popfq; hlt
  const t = longMode({}, '9c', '48 81 0c 24 00 01 00 00', '9d', HLT);
  t.run();
  expect(t.exceptions).toEqual(['1']);
  expect(t.get('RIP')).toBe(BigInt(HANDLERS + 16 + 1));
});
