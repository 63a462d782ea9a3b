// Faults during faults: double faults, triple faults, and the story that is told about them. Traps, shadows,
// interrupts.

import {expect, test} from 'vitest';
import {CODE, HANDLERS, IDT, SEL, STACK, TSS, longMode, protectedMode, pteAt, realMode} from '../machine-fixture.js';

const HLT = 'f4';
const UD2 = '0f 0b';

test('a #GP whose gate is not present becomes #DF', () => {
  const t = longMode({cpl: 3}, HLT).quad(IDT + 13 * 16, 0x8e00_0000_0000n & 0n);
  t.run();
  expect(t.exceptions).toEqual(['13:0', '8:0']);
  expect(t.get('RIP')).toBe(BigInt(HANDLERS + 8 * 16 + 1));
  expect(t.read(STACK - 48, 8)).toBe(0n);
});

test('#UD whose gate is missing is a plain #GP: #UD is benign', () => {
  const t = longMode({}, UD2).quad(IDT + 6 * 16, 0n);
  t.run();
  expect(t.exceptions).toEqual(['6', '13:33']);
});

test('a triple fault tells the whole chain, and why each handler could not run', () => {
  const t = longMode({}, UD2).set({'IDTR.limit': 0n});
  expect(t.run().last.kind).toBe('shutdown');
  const [triple] = t.all('triple-fault');
  expect(triple?.chain.map(link => link.vector)).toEqual([6, 13, 8, 13]);
  expect(triple?.chain[0]?.why).toBe('#GP(0x33): wanted “the gate lies within the IDT” (vector 6, IDTR limit 0x0)');
  expect(t.machine.step().kind).toBe('shutdown');
});

test('a page fault while a page fault is delivered is #DF; on its own IST stack it is handled', () => {
  const t = longMode({}, '48 8b 04 25 00 00 10 00') // mov rax, [100000h]
    .quad(pteAt(0x10_0000), 0n)
    .quad(pteAt(STACK - 8), 0n) // neither the page nor the stack is there
    .quad(IDT + 8 * 16, 0x0001_8e01_0008_8080n & 0x0000_ffff_ffff_ffffn)
    .quad(TSS + 0x24, 0x5_8000n);
  t.run();
  expect(t.exceptions).toEqual(['14:0', '8:0']);
  expect(t.get('RIP')).toBe(BigInt(HANDLERS + 8 * 16 + 1));
  expect(t.get('RSP')).toBe(0x5_8000n - 48n);
});

test('a fault pushes RF, a 64-bit frame is aligned to 16 bytes', () => {
  const t = longMode({}, UD2).set({RSP: BigInt(STACK - 8)});
  t.run();
  expect(t.get('RSP')).toBe(BigInt(STACK - 16 - 40));
  expect(t.read(STACK - 16 - 24, 8)).toBe(0x1_0002n);
});

test('32-bit delivery from ring 3 takes SS0:ESP0 and pushes five values', () => {
  const t = protectedMode({cpl: 3}, 'cd 80');
  t.run();
  expect([t.get('CPL'), t.get('RSP'), t.get('SS.selector')]).toEqual([0n, BigInt(STACK - 20), 0x10n]);
});

test('INT n through a missing stack segment in the TSS is #TS with its selector', () => {
  const t = protectedMode({cpl: 3}, 'cd 80');
  t.bytes(TSS + 8, 'f8 00').quad(IDT + 10 * 8, BigInt(HANDLERS) | (0x40n << 16n) | (0x8en << 40n));
  t.steps(1);
  expect(t.exceptions[0]).toBe('10:f8');
});

test('divide by zero is #DE, and RIP stays at the DIV', () => {
  const t = protectedMode({}, 'f7 f1'); // div ecx
  t.run();
  expect(t.exceptions).toEqual(['0']);
  expect(t.read(STACK - 12, 4)).toBe(BigInt(CODE));
  expect(t.why).toBe('ECX ≠ 0');
});

test('a pending interrupt waits for IF, and for one more instruction after STI', () => {
  const t = longMode({}, 'fb', '90', '90', HLT); // sti; nop; nop
  t.machine.requestInterrupt(0x20);
  t.steps(2);
  expect(t.all('delivery')).toEqual([]);
  expect(t.machine.step().kind).toBe('delivery');
  expect(t.all('delivery')).toMatchObject([{vector: 0x20, from: 0, to: 0}]);
  expect(t.read(STACK - 40, 8)).toBe(BigInt(CODE + 2));
  expect(t.get('RFLAGS') & 0x200n).toBe(0n);
});

test('MOV SS holds an interrupt back for one instruction', () => {
  const t = longMode({rflags: 0x202n}, '8e d0', '90', HLT).set({RAX: 0x10n}); // mov ss, eax
  t.steps(1);
  t.machine.requestInterrupt(0x20);
  expect(t.machine.step().kind).toBe('instruction');
  expect(t.machine.step().kind).toBe('delivery');
});

test('LSS does not hold interrupts back', () => {
  const t = longMode({rflags: 0x202n}, '0f b2 24 25 00 00 05 00', '90').quad(0x5_0000, 0x0010_0003_8000n); // lss esp, [50000h]
  t.steps(1);
  expect(t.exceptions).toEqual([]);
  t.machine.requestInterrupt(0x20);
  expect(t.machine.step().kind).toBe('delivery');
});

test('an NMI needs no IF and blocks the next one until IRET', () => {
  const t = longMode({}, '90', HLT).bytes(HANDLERS + 2 * 16, '90', '48 cf'); // nop; iretq
  t.machine.pins.raiseNmi();
  expect(t.machine.step().kind).toBe('delivery');
  t.machine.pins.raiseNmi();
  expect(t.machine.step().kind).toBe('instruction');
  t.steps(1);
  expect(t.machine.step().kind).toBe('delivery');
});

test('HLT waits for an interrupt, and goes on behind itself', () => {
  const t = longMode({rflags: 0x202n}, HLT, '90');
  t.steps(2);
  expect(t.machine.step().kind).toBe('halted');
  t.machine.requestInterrupt(0x21);
  expect(t.machine.step().kind).toBe('delivery');
  expect(t.read(STACK - 40, 8)).toBe(BigInt(CODE + 1));
});

test('RFLAGS.TF: a debug exception after each instruction, with DR6.BS', () => {
  const t = longMode({rflags: 0x102n}, '90', '90');
  t.run();
  expect(t.exceptions).toEqual(['1']);
  expect(t.get('DR6') & 0x4000n).toBe(0x4000n);
  expect(t.read(STACK - 40, 8)).toBe(BigInt(CODE + 1));
});

test('INT3 is a trap: the handler returns behind it', () => {
  const t = longMode({}, 'cc', HLT);
  t.run();
  expect(t.get('RIP')).toBe(BigInt(HANDLERS + 3 * 16 + 1));
  expect(t.read(STACK - 40, 8)).toBe(BigInt(CODE + 1));
});

test('in real mode a vector beyond IDTR.limit ends in shutdown', () => {
  const t = realMode(UD2).set({'IDTR.limit': 0n});
  expect(t.run().last.kind).toBe('shutdown');
});

test('an instruction outside the supported set stops the run with its name, bytes and address', () => {
  const {last} = longMode({}, 'd8 c1').run(); // fadd st0, st1
  expect(last).toMatchObject({kind: 'unsupported', address: BigInt(CODE)});
  expect(last.kind === 'unsupported' && last.what).toContain('D8: FADD ST0, STi');
});

/** A 64-bit interrupt gate for a vector's handler, on the first stack of the interrupt stack table. */
const onStack1 = (vector: number): bigint =>
  BigInt(HANDLERS + vector * 16) | (BigInt(SEL.code64) << 16n) | (0x8e01n << 32n);

// SDM vol. 3A, "Conditions for Generating a Double Fault".
test.each<[first: string, second: string, expected: string[]]>([
  ['benign', 'contributory', ['6', '13:33']],
  ['benign', 'page fault', ['6', '14:2']],
  ['contributory', 'contributory', ['13:1230', '8:0']],
  ['contributory', 'page fault', ['13:1230', '14:2']],
  ['page fault', 'contributory', ['14:0', '8:0']],
  ['page fault', 'page fault', ['14:0', '8:0']],
])('%s, then %s while it is delivered', (first, second, expected) => {
  const causes = {
    benign: {code: UD2, vector: 6},
    contributory: {code: '8e d8', vector: 13}, // mov ds, ax
    'page fault': {code: '48 8b 04 25 00 00 10 00', vector: 14}, // mov rax, [100000h]
  };
  const cause = first === 'benign' || first === 'contributory' ? causes[first] : causes['page fault'];
  const t = longMode({}, cause.code)
    .set({RAX: 0x1230n})
    .quad(pteAt(0x10_0000), 0n)
    .quad(IDT + 8 * 16, onStack1(8))
    .quad(TSS + 0x24, 0x5_8000n);
  // A gate that is missing is contributory (#GP); a stack that is missing is a page fault, whose own handler has another.
  if (second === 'contributory') t.quad(IDT + cause.vector * 16, 0n);
  else {
    t.quad(pteAt(STACK - 8), 0n);
    if (cause.vector !== 14) t.quad(IDT + 14 * 16, onStack1(14));
  }
  t.run();
  expect(t.exceptions).toEqual(expected);
});
