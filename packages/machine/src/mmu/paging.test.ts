// Page walks, page faults and a TLB whose stale entries are real.

import {expect, test} from 'vitest';
import {PD, PDPT, PML4, PT, USER_CODE, longMode, protectedMode, pteAt} from '../machine-fixture.js';
import {NEHALEM} from '../cpu/profiles.js';

const HLT = 'f4';
const READ = '48 8b 04 25 00 00 10 00'; // mov rax, [100000h]
const WRITE = '48 89 04 25 00 00 10 00'; // mov [100000h], rax
const PAGE = 0x10_0000;
const pte = pteAt(PAGE);

test('a read of a page that is not present: #PF with error code 0, the address in CR2', () => {
  const t = longMode({}, READ, HLT).quad(pte, 0n);
  t.run();
  expect(t.exceptions).toEqual(['14:0']);
  expect(t.get('CR2')).toBe(BigInt(PAGE));
  expect(t.why).toBe('PTE.P = 1');
});

test.each([
  ['a write to a page that is not present', 0 as const, WRITE, 0n, '14:2'],
  ['a write at CPL 0 to a read-only page, with CR0.WP', 0 as const, WRITE, 5n, '14:3'],
  ['a read at CPL 3 of a page that is not present', 3 as const, READ, 0n, '14:4'],
  ['a read at CPL 3 of a supervisor page', 3 as const, READ, 3n, '14:5'],
  ['a write at CPL 3 to a read-only page', 3 as const, WRITE, 5n, '14:7'],
  ['a read through an entry with a reserved bit', 0 as const, READ, 0x8_0000_0000_0007n, '14:9'],
])('%s', (_, cpl, access, entry, expected) => {
  const t = longMode({cpl}, access, HLT).quad(pte, entry | (entry === 0n ? 0n : BigInt(PAGE)));
  t.run();
  expect(t.exceptions[0]).toBe(expected);
});

test('without CR0.WP the supervisor writes to read-only pages', () => {
  const t = longMode({}, WRITE, HLT)
    .quad(pte, BigInt(PAGE) | 5n)
    .set({CR0: 0x8000_0011n});
  t.run();
  expect(t.exceptions).toEqual([]);
});

test('a fetch from a page with XD: #PF with the I/D bit, where EFER.NXE', () => {
  const t = longMode({}, 'e9 fb ff 0e 00')
    .quad(pte, BigInt(PAGE) | (1n << 63n) | 7n)
    .set({EFER: 0xd01n}); // jmp 100000h
  t.run();
  expect(t.exceptions).toEqual(['14:11']);
});

test('XD without EFER.NXE is a reserved bit', () => {
  const t = longMode({}, READ)
    .quad(pte, BigInt(PAGE) | (1n << 63n) | 7n)
    .set({EFER: 0x501n});
  t.run();
  expect(t.exceptions).toEqual(['14:9']);
});

test('SMEP: the supervisor may not execute a user page', () => {
  const t = longMode({}, HLT).set({CR4: 0x10_0020n});
  t.steps(1);
  expect(t.exceptions).toEqual(['14:11']);
  expect(t.why).toBe('U/S = 0 somewhere (supervisor fetch with CR4.SMEP = 1)');
});

test('SMAP: the supervisor may not read a user page, unless RFLAGS.AC', () => {
  const supervisor = (rflags: bigint): ReturnType<typeof longMode> => {
    const t = longMode({rflags}, READ, HLT).set({CR4: 0x20_0020n});
    for (let page = 0; page < 256; page++) t.quad(PT + 8 * page, BigInt(page * 4096) | 3n);
    return t;
  };
  const refused = supervisor(2n);
  refused.run();
  expect(refused.exceptions).toEqual(['14:1']);
  const allowed = supervisor(0x4_0002n);
  allowed.run();
  expect(allowed.exceptions).toEqual([]);
});

test('a read sets A at every level and a write sets D in the leaf only', () => {
  const t = longMode({}, READ, WRITE, HLT);
  t.steps(1);
  expect([PML4, PDPT, PD, pte].map(at => t.read(at, 8) & 0x60n)).toEqual([0x20n, 0x20n, 0x20n, 0x20n]);
  t.steps(1);
  expect(t.read(pte, 8) & 0x60n).toBe(0x60n);
  expect(t.read(PD, 8) & 0x40n).toBe(0n);
});

test('an unmapped page stays reachable through the TLB until INVLPG', () => {
  // mov rax, [100000h]; mov qword [pte], 0; mov rax, [100000h]; invlpg [100000h]; mov rax, [100000h]
  const clear = `48 c7 04 25 ${le32(pte)} 00 00 00 00`;
  const t = longMode({}, READ, clear, READ, '0f 01 3c 25 00 00 10 00', READ, HLT).quad(PAGE, 42n);
  t.steps(3);
  expect(t.get('RAX')).toBe(42n);
  expect(t.exceptions).toEqual([]);
  t.steps(2);
  expect(t.exceptions).toEqual(['14:0']);
});

test('loading CR3 forgets all but global pages', () => {
  const clear = `48 c7 04 25 ${le32(pte)} 00 00 00 00`;
  const reload = '0f 20 d8 0f 22 d8'; // mov rax, cr3; mov cr3, rax
  const plain = longMode({}, READ, clear, reload, READ, HLT);
  plain.run();
  expect(plain.exceptions).toEqual(['14:0']);
  const global = longMode({}, READ, clear, reload, READ, HLT)
    .quad(pte, BigInt(PAGE) | 0x107n)
    .set({CR4: 0xa0n});
  global.run();
  expect(global.exceptions).toEqual([]);
});

test('INVLPG forgets every part of a large page', () => {
  // 2 MiB page at 200000h: touch two parts, unmap, invlpg one part, touch the other
  const entry = PD + 8;
  const part1 = '48 8b 04 25 00 00 20 00',
    part2 = '48 8b 04 25 00 30 20 00';
  const t = longMode(
    {},
    part1,
    part2,
    `48 c7 04 25 ${le32(entry)} 00 00 00 00`,
    '0f 01 3c 25 00 00 20 00',
    part2,
    HLT,
  ).quad(entry, 0x20_0087n);
  t.run();
  expect(t.exceptions).toEqual(['14:0']);
});

test('a write across a page boundary into a page that is not present changes nothing', () => {
  const t = longMode({}, '48 89 04 25 fc ff 0f 00', HLT)
    .set({RAX: -1n & 0xffff_ffff_ffff_ffffn})
    .quad(pte, 0n); // mov [ffffch], rax
  t.run();
  expect(t.exceptions).toEqual(['14:2']);
  expect(t.get('CR2')).toBe(BigInt(PAGE));
  expect(t.read(0xf_fffc, 4)).toBe(0n);
});

test('a cold walk makes four references and says which', () => {
  const t = longMode({}, READ, HLT);
  t.run();
  const walk = t.all('page-walk').find(event => event.linear === BigInt(PAGE));
  expect(walk?.references.map(reference => [reference.level, reference.address])).toEqual([
    [4, PML4],
    [3, PDPT],
    [2, PD],
    [1, pte],
  ]);
  expect(walk?.outcome).toBe('mapped');
});

test('a 1 GiB page is a reserved bit on a processor without them', () => {
  const t = longMode({}, '48 a1 00 00 00 40 00 00 00 00', HLT).quad(PDPT + 8, 0x87n);
  t.run();
  expect(t.exceptions).toEqual([]);
  expect(NEHALEM.cpuid.get(0x8000_0001)?.get(0)?.[3]).toBe(0x2810_0800);
});

test('32-bit paging with a 4 MiB page', () => {
  const load = 'a1 00 00 10 00'; // mov eax, [100000h]
  const legacy = protectedMode({}, load, HLT)
    .quad(PAGE, 7n)
    .set({CR3: BigInt(PML4), CR4: 0x10n});
  legacy.quad(PML4, 0x83n);
  legacy.machine.registers.set('CR0', 0x8000_0011n);
  legacy.run();
  expect([legacy.get('RAX'), legacy.exceptions]).toEqual([7n, []]);
});

test('an address that is not canonical is #GP(0), and #SS(0) through the stack', () => {
  const t = longMode({}, '48 8b 03', HLT).set({RBX: 0x8000_0000_0000n}); // mov rax, [rbx]
  t.run();
  expect(t.exceptions).toEqual(['13:0']);
  const stack = longMode({}, '58', HLT).set({RSP: 0x8000_0000_0000n, 'IDTR.limit': 0n}); // pop rax
  stack.steps(1);
  expect(stack.exceptions[0]).toBe('12:0');
});

test('code at CPL 3 on a supervisor page faults on its fetch', () => {
  const t = longMode({cpl: 3}, HLT).quad(pteAt(USER_CODE), BigInt(USER_CODE) | 3n);
  t.run();
  expect(t.exceptions).toEqual(['14:15']);
  expect(t.get('CR2')).toBe(BigInt(USER_CODE));
});

function le32(value: number): string {
  return [0, 8, 16, 24].map(shift => ((value >>> shift) & 0xff).toString(16).padStart(2, '0')).join(' ');
}
