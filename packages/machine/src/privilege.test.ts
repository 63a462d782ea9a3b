// Rings: what CPL 3 may and may not do, and the ways between the rings.

import {expect, test} from 'vitest';
import {hpa} from '@hyperscope/base';
import {
  CODE,
  HANDLERS,
  SEL,
  STACK,
  TSS,
  USER_CODE,
  USER_STACK,
  longMode,
  protectedMode,
  realMode,
} from './machine-fixture.js';

const HLT = 'f4';
const SYSCALL = '0f 05';
const INT80 = 'cd 80';

test('POPF at CPL 3 keeps IF and does not fault', () => {
  const t = longMode({cpl: 3, rflags: 0x202n}, '6a 02', '9d', '9c', '58', INT80); // push 2; popf; pushf; pop rax; int 0x80
  t.run();
  expect(t.get('RAX') & 0x200n).toBe(0x200n);
  expect(t.exceptions).toEqual([]);
});

test('POPF at CPL 0 clears IF', () => {
  const t = longMode({rflags: 0x202n}, '6a 02', '9d', '9c', '58', HLT);
  t.run();
  expect(t.get('RAX') & 0x200n).toBe(0n);
});

test('CLI at CPL 3 with IOPL 0 gives #GP(0), and the check says why', () => {
  const t = longMode({cpl: 3}, 'fa');
  t.run();
  expect(t.exceptions).toEqual(['13:0']);
  expect(t.why).toBe('CPL ≤ IOPL or CR4.PVI = 1 and CPL = 3');
});

test('HLT at CPL 3 gives #GP(0) with the rule CPL = 0 and the CPL that there was', () => {
  const t = longMode({cpl: 3}, HLT);
  t.run();
  const [exception] = t.all('exception');
  expect(exception?.checks).toMatchObject([{rule: 'CPL = 0', holds: false, values: [['CPL', '3']]}]);
  expect(exception?.checks[0]?.source).toContain('HLT');
});

test('an exception in ring 3 enters ring 0 on the stack that the TSS names, with SS:RSP pushed', () => {
  const t = longMode({cpl: 3}, HLT);
  t.run();
  expect(t.get('CPL')).toBe(0n);
  expect(t.get('RIP')).toBe(BigInt(HANDLERS + 13 * 16 + 1));
  const frame = STACK - 48; // error code, RIP, CS, RFLAGS, RSP, SS
  expect([0, 8, 16, 32, 40].map(at => t.read(frame + at, 8))).toEqual([
    0n,
    BigInt(USER_CODE),
    BigInt(SEL.userCode64),
    BigInt(USER_STACK),
    BigInt(SEL.userData),
  ]);
  expect(t.get('SS.selector')).toBe(0n);
  expect(t.all('ring')).toMatchObject([{from: 3, to: 0, how: 'event delivery'}]);
});

test('IRETQ to ring 3 and INT 80h back again', () => {
  // push 23h; push 48000h; push 202h; push 2bh; push 20000h; iretq
  const t = longMode({}, '6a 23', '68 00 80 04 00', '68 02 02 00 00', '6a 2b', '68 00 00 02 00', '48 cf').bytes(
    USER_CODE,
    '8c c8',
    INT80,
  );
  t.run();
  expect(t.get('RAX')).toBe(0x2bn);
  expect(t.all('ring').map(event => [event.from, event.to, event.how])).toEqual([
    [0, 3, 'IRET'],
    [3, 0, 'event delivery'],
  ]);
  expect(t.get('RIP')).toBe(BigInt(HANDLERS + 0x80 * 16 + 1));
  expect(t.exceptions).toEqual([]);
});

test('IRETQ to ring 3 makes data segments null that ring 3 could not have loaded', () => {
  const t = longMode({}, '6a 23', '68 00 80 04 00', '68 02 02 00 00', '6a 2b', '68 00 00 02 00', '48 cf').bytes(
    USER_CODE,
    INT80,
  );
  t.run();
  expect(t.get('DS.selector')).toBe(0n);
});

test('INT n through a gate with DPL 0 from ring 3 gives #GP with the gate as error code', () => {
  const t = longMode({cpl: 3}, 'cd 40');
  t.run();
  expect(t.exceptions).toEqual(['13:202']);
  expect(t.why).toBe('CPL ≤ DPL of the gate (software interrupt)');
});

test('SYSCALL saves RIP and RFLAGS, masks them, and SYSRET brings them back', () => {
  const t = longMode({cpl: 3, rflags: 0x202n}, SYSCALL, INT80)
    .bytes(CODE, '48 89 e3', '48 0f 07') // mov rbx, rsp; sysretq
    .set({STAR: 0x001b_0008_0000_0000n, LSTAR: BigInt(CODE), FMASK: 0x200n});
  t.steps(1);
  expect([t.get('RCX'), t.get('R11'), t.get('RIP'), t.get('CPL')]).toEqual([
    BigInt(USER_CODE + 2),
    0x202n,
    BigInt(CODE),
    0n,
  ]);
  expect(t.get('RFLAGS')).toBe(2n);
  expect([t.get('CS.selector'), t.get('SS.selector')]).toEqual([8n, 0x10n]);
  t.steps(2);
  expect([t.get('RIP'), t.get('CPL'), t.get('RFLAGS'), t.get('CS.selector'), t.get('SS.selector')]).toEqual([
    BigInt(USER_CODE + 2),
    3n,
    0x202n,
    0x2bn,
    0x23n,
  ]);
  expect(t.get('RBX')).toBe(BigInt(USER_STACK));
  expect(t.all('ring').map(event => event.how)).toEqual(['SYSCALL', 'SYSRET']);
});

test('SYSCALL without EFER.SCE is #UD', () => {
  const t = longMode({cpl: 3}, SYSCALL).set({EFER: 0xd00n});
  t.run();
  expect(t.exceptions).toEqual(['6']);
  expect(t.why).toBe('EFER bit 0 = 1');
});

test('SYSRET to a non-canonical RCX faults while still in ring 0, as on Intel', () => {
  const t = longMode({}, '48 0f 07').set({RCX: 0x8000_0000_0000n, R11: 2n});
  t.run();
  expect(t.exceptions).toEqual(['13:0']);
  expect(t.all('ring')).toEqual([]);
});

test('SWAPGS exchanges the two bases', () => {
  const t = longMode({}, '0f 01 f8', HLT).set({'GS.base': 1n, KERNEL_GS_BASE: 2n});
  t.run();
  expect([t.get('GS.base'), t.get('KERNEL_GS_BASE')]).toEqual([2n, 1n]);
});

test('OUT at CPL 3 needs a clear bit in the TSS', () => {
  const t = longMode({cpl: 3}, 'e6 80', 'e6 81', INT80); // out 80h, al; out 81h, al
  t.machine.memory.write(hpa(TSS + 0x66), 2, 0x68n);
  t.bytes(TSS + 0x68 + 16, '02 ff'); // port 80h free, 81h not
  t.run();
  expect(t.exceptions).toEqual(['13:0']);
  expect(t.why).toBe('the bit map of the TSS permits the port');
  expect(t.all('port')).toMatchObject([{direction: 'out', port: 0x80, device: undefined}]);
});

test.each(['f3 6c', 'f3 6e'])('REP INSB and REP OUTSB (%s) need permission even for no element at all', code => {
  const t = longMode({cpl: 3}, code, 'f4').set({RCX: 0n, RDX: 0x80n});
  t.run();
  expect(t.exceptions).toEqual(['13:0']);
  expect(t.get('RIP')).toBe(BigInt(HANDLERS + 13 * 16 + 1));
});

test('a far CALL through a call gate enters ring 0 on its own stack, and RETF goes back', () => {
  // call 7bh:0; int 80h — gate to code32:10080h
  const t = protectedMode({cpl: 3}, '9a 00 00 00 00 7b 00', INT80).bytes(CODE + 0x80, '8c c8', 'cb');
  t.steps(1);
  expect([t.get('CPL'), t.get('CS.selector'), t.get('SS.selector'), t.get('RSP')]).toEqual([
    0n,
    0x40n,
    0x10n,
    BigInt(STACK - 16),
  ]);
  t.steps(2);
  expect([t.get('CPL'), t.get('RIP'), t.get('RSP'), t.get('RAX')]).toEqual([
    3n,
    BigInt(USER_CODE + 7),
    BigInt(USER_STACK),
    0x40n,
  ]);
});

test('RETF to an inner ring is refused', () => {
  const t = protectedMode({cpl: 3}, '6a 40', '68 00 00 01 00', 'cb'); // push 40h; push 10000h; retf
  t.run();
  expect(t.exceptions).toEqual(['13:40']);
  expect(t.why).toBe('RPL ≥ CPL (a return never goes inward)');
});

test('a far JMP to a ring-0 segment from ring 3 is refused', () => {
  const t = protectedMode({cpl: 3}, 'ea 00 00 01 00 40 00');
  t.run();
  expect(t.exceptions).toEqual(['13:40']);
  expect(t.why).toBe('DPL = CPL and RPL ≤ CPL (non-conforming code)');
});

test('IRETD with VM in the image enters virtual-8086 mode; a #GP there comes back to ring 0 with the segments on the stack', () => {
  const push = (value: number): string =>
    `68 ${[0, 8, 16, 24].map(shift => ((value >>> shift) & 0xff).toString(16)).join(' ')}`;
  const image = [0x5555, 0x4444, 0x3333, 0x2222, 0x1111, 0x100, 0x2_0002, 0x2000, 0]; // GS FS DS ES SS ESP EFLAGS CS EIP
  const t = protectedMode({}, ...image.map(push), 'cf').bytes(USER_CODE, '8c d8', HLT); // mov ax, ds; hlt
  t.run();
  expect(t.all('mode').map(event => event.to)).toEqual(['virtual-8086', 'protected']);
  expect(t.get('RAX')).toBe(0x3333n);
  expect(t.exceptions).toEqual(['13:0']);
  const frame = Array.from({length: 10}, (_, index) => Number(t.read(STACK - 40 + 4 * index, 4)));
  expect(frame).toEqual([0, 2, 0x2000, 0x3_0002, 0x100, 0x1111, 0x2222, 0x3333, 0x4444, 0x5555]);
  expect([t.get('CPL'), t.get('DS.selector'), t.get('RSP')]).toEqual([0n, 0n, BigInt(STACK - 40)]);
});

test('in real mode an interrupt goes through the vector table and IRET comes back', () => {
  const t = realMode('cd 21', HLT).bytes(HANDLERS + 0x21 * 16, 'b8 34 12', 'cf');
  t.run();
  expect([t.get('RAX'), t.get('RIP'), t.get('RSP')]).toEqual([0x1234n, 3n, 0x7000n]);
});
