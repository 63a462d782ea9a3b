// From real mode to 64-bit mode and back, one step at a time; and what control registers refuse.

import {expect, test} from 'vitest';
import {
  CODE,
  GDT,
  PD,
  PDPT,
  PML4,
  SEL,
  STACK,
  TestMachine,
  longMode,
  protectedMode,
  realMode,
} from '../machine-fixture.js';

const HLT = 'f4';

function fromRealMode(): TestMachine {
  const t = longMode({}, '').set({CR0: 0x10n, CR3: 0n, CR4: 0n, EFER: 0n, RIP: 0n, RSP: BigInt(STACK & 0xffff)});
  t.machine.registers.setSegment('CS', {selector: 0x1000, base: BigInt(CODE), limit: 0xffff, attributes: 0x9b});
  for (const register of ['SS', 'DS', 'ES'] as const)
    t.machine.registers.setSegment(register, {selector: 0, base: 0n, limit: 0xffff, attributes: 0x93});
  return t
    .quad(PD, 0x87n)
    .quad(PDPT, BigInt(PD) | 7n)
    .quad(PML4, BigInt(PDPT) | 7n);
}

test('real mode, protected mode, paging with LME, 64-bit code: each step is seen', () => {
  const t = fromRealMode();
  t.bytes(
    CODE,
    '0f 20 c0',
    '0c 01',
    '0f 22 c0', // mov eax, cr0; or al, 1; mov cr0, eax
    '66 ea 00 01 01 00 40 00',
  ); // jmp dword 40h:10100h
  t.bytes(
    CODE + 0x100,
    '0f 20 e0',
    '83 c8 20',
    '0f 22 e0', // CR4.PAE
    'b8 00 40 00 00',
    '0f 22 d8', // CR3
    'b9 80 00 00 c0',
    '0f 32',
    '0d 00 01 00 00',
    '0f 30', // EFER.LME
    '0f 20 c0',
    '0d 00 00 00 80',
    '0f 22 c0', // CR0.PG
    'ea 00 02 01 00 08 00',
  ); // jmp 8:10200h
  t.bytes(CODE + 0x200, '48 b8 88 77 66 55 44 33 22 11', HLT); // mov rax, 1122334455667788h
  t.run();
  expect(t.get('RAX')).toBe(0x1122_3344_5566_7788n);
  expect(t.all('mode').map(event => event.to)).toEqual(['protected', 'compatibility', '64-bit']);
  expect(t.get('EFER') & 0x500n).toBe(0x500n);
  expect(t.all('control-register').map(event => event.register)).toEqual(['CR0', 'CR4', 'CR3', 'EFER', 'CR0', 'EFER']);
  expect(t.exceptions).toEqual([]);
});

test('back from protected to real mode, through a 16-bit segment', () => {
  const t = protectedMode({}, 'ea 00 00 00 00 48 00')
    .bytes(0, '0f 20 c0', '24 fe', '0f 22 c0', 'ea 00 00 00 10')
    .bytes(CODE, HLT);
  t.bytes(0x1_0000, 'ea 00 00 00 00 48 00');
  t.steps(4);
  t.bytes(0x1_0000, HLT);
  t.run();
  expect(t.all('mode').map(event => [event.from, event.to])).toEqual([['protected', 'real']]);
  expect(t.get('CS.base')).toBe(0x1_0000n);
  expect(t.exceptions).toEqual([]);
});

test('reset: the first instruction is fetched from FFFFFFF0h', () => {
  const t = new TestMachine();
  expect([t.get('CS.base') + t.get('RIP'), t.get('CS.selector'), t.get('RFLAGS'), t.get('CR0')]).toEqual([
    0xffff_fff0n,
    0xf000n,
    2n,
    0x6000_0010n,
  ]);
  expect(t.machine.mode).toBe('real');
});

test('after reset a ROM that ends at 4 GiB runs', () => {
  const t = new TestMachine();
  const rom = [0xb8, 0x2a, 0x00, 0xf4]; // mov ax, 2ah; hlt
  const start = 0xffff_fff0;
  t.machine.memory.addRegion({
    start,
    length: 16,
    name: 'ROM',
    read: offset => BigInt(rom[offset] ?? 0xff),
    write: () => undefined,
  });
  t.run();
  expect([t.get('RAX'), t.get('RIP')]).toEqual([42n, 0xfff4n]);
});

test.each([
  ['PG without PE', 'b8 00 00 00 80', 'CR0', 'PG = 1 only with PE = 1'],
  ['NW without CD', 'b8 01 00 00 20', 'CR0', 'NW = 1 only with CD = 1'],
  ['a reserved bit of CR4', 'b8 00 00 00 80', 'CR4', 'reserved bits of CR4 = 0'],
])('%s is #GP(0)', (_, load, register, rule) => {
  const t = protectedMode({}, load, register === 'CR0' ? '0f 22 c0' : '0f 22 e0', HLT);
  t.run();
  expect(t.exceptions).toEqual(['13:0']);
  expect(t.why).toBe(rule);
});

test('paging cannot be turned on with LME and without PAE', () => {
  const t = protectedMode({}, '0f 20 c0', '0d 00 00 00 80', '0f 22 c0').set({EFER: 0x100n});
  t.run();
  expect(t.why).toBe('CR4.PAE = 1 (EFER.LME = 1)');
});

test('LME cannot change while paging is on, and SVME does not exist', () => {
  const write = (value: string): string => `b9 80 00 00 c0 b8 ${value} 31 d2 0f 30 f4`;
  const lme = longMode({}, write('01 0c 00 00'));
  lme.run();
  expect(lme.why).toBe('LME does not change while CR0.PG = 1');
  const svme = longMode({}, write('01 1d 00 00'));
  svme.run();
  expect(svme.why).toBe('reserved bits of EFER = 0');
});

test('an MSR that does not exist is #GP(0); the capability MSRs of VMX need a unit', () => {
  const t = longMode({}, 'b9 80 04 00 00', '0f 32');
  t.run();
  expect(t.exceptions).toEqual(['13:0']);
});

test('FS.base through its MSR reaches past 4 GiB', () => {
  const t = longMode({}, 'b9 00 01 00 c0', 'b8 01 00 00 00', 'ba 00 80 ff ff', '0f 30', HLT);
  t.run();
  expect(t.get('FS.base')).toBe(0xffff_8000_0000_0001n);
});

test('compatibility mode is 32-bit code under long-mode paging', () => {
  // push 40h; push 10100h; retfq
  const t = longMode({}, '6a 40', '68 00 01 01 00', '48 cb').bytes(CODE + 0x100, '40', HLT); // inc eax, not REX
  t.run();
  expect(t.get('RAX')).toBe(1n);
  expect(t.machine.mode).toBe('compatibility');
});

test('a CS descriptor with both L and D is refused', () => {
  const t = longMode({}, '6a 40', '68 00 01 01 00', '48 cb').quad(GDT + SEL.code32, 0x00ef_9b00_0000_ffffn);
  t.run();
  expect(t.exceptions).toEqual(['13:40']);
});

test('CPUID shows the profile: vendor, VMX and long mode', () => {
  const t = realMode('66 31 c0', '0f a2', HLT);
  t.run();
  expect([t.get('RBX'), t.get('RDX'), t.get('RCX')]).toEqual([0x756e_6547n, 0x4965_6e69n, 0x6c65_746en]);
});
