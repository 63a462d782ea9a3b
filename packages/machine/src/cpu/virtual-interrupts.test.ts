// The virtual interrupt flag: what CR4.VME gives an 8086 program, and CR4.PVI one at CPL 3, that may not touch IF.

import {hpa} from '@hyperscope/base';
import {describe, expect, test} from 'vitest';
import {CODE, TSS, USER_CODE, protectedMode, realMode} from '../machine-fixture.js';
import type {TestMachine} from '../machine-fixture.js';

const VME = 1n,
  PVI = 2n;
const TF = 1n << 8n,
  IF = 1n << 9n,
  VM = 1n << 17n,
  VIF = 1n << 19n,
  VIP = 1n << 20n;
const IOPL = 3n << 12n;
const HLT = 'f4';
/** The redirection bit map ends where the I/O bit map starts. */
const IO_MAP = 0x100;

/** An 8086 program at 2000:0000 with its stack at 4000:8000; handlers of the monitor as in every fixture. */
function v86(flags: bigint, cr4: bigint, ...code: readonly string[]): TestMachine {
  const t = protectedMode({}, HLT);
  t.bytes(USER_CODE, ...code);
  for (const [register, selector] of [
    ['CS', 0x2000],
    ['SS', 0x4000],
    ['DS', 0x4000],
    ['ES', 0],
    ['FS', 0],
    ['GS', 0],
  ] as const)
    t.machine.registers.setSegment(register, {
      selector,
      base: BigInt(selector) << 4n,
      limit: 0xffff,
      attributes: 0xf3,
    });
  t.machine.memory.write(hpa(TSS + 0x66), 2, BigInt(IO_MAP));
  return t.set({CPL: 3n, RIP: 0n, RSP: 0x8000n, CR4: cr4, RFLAGS: 2n | VM | flags});
}
const flag = (t: TestMachine, mask: bigint): boolean => (t.get('RFLAGS') & mask) !== 0n;

describe('CLI and STI of an 8086 program with IOPL 0', () => {
  test('without VME are the business of its monitor', () => {
    const t = v86(0n, 0n, 'fa');
    t.steps(1);
    expect(t.exceptions).toEqual(['13:0']);
    expect(t.why).toContain('CR4.VME = 1');
  });
  test('with VME clear and set VIF, and IF stays what it is', () => {
    const t = v86(IF, VME, 'fb fa');
    t.steps(1);
    expect([flag(t, VIF), flag(t, IF), t.exceptions]).toEqual([true, true, []]);
    t.steps(1);
    expect([flag(t, VIF), flag(t, IF), t.exceptions]).toEqual([false, true, []]);
  });
  test('STI with a pending interrupt (VIP) tells the monitor', () => {
    const t = v86(VIP, VME, 'fb');
    t.steps(1);
    expect([t.exceptions, flag(t, VIF)]).toEqual([['13:0'], false]);
  });
  test('with IOPL 3 change IF itself', () => {
    const t = v86(IOPL, VME, 'fb 90');
    t.steps(1);
    expect([flag(t, IF), flag(t, VIF)]).toEqual([true, false]);
  });
});

describe('PUSHF and POPF under VME', () => {
  test('PUSHF shows VIF as IF, and IOPL 3', () => {
    const t = v86(VIF, VME, '9c');
    t.steps(1);
    expect(t.read(0x4_7ffe, 2) & (IF | IOPL)).toBe(IF | IOPL);
  });
  test('PUSHFD and POPFD fault as without it', () => {
    for (const code of ['66 9c', '66 9d']) {
      const t = v86(0n, VME, code);
      t.steps(1);
      expect(t.exceptions).toEqual(['13:0']);
    }
  });
  test('POPF moves IF of the image to VIF and leaves IF and IOPL', () => {
    const t = v86(0n, VME, '9d');
    t.machine.memory.write(hpa(0x4_8000), 2, IF | 1n);
    t.steps(1);
    expect([flag(t, VIF), flag(t, IF), flag(t, IOPL), flag(t, 1n), t.get('RSP')]).toEqual([
      true,
      false,
      false,
      true,
      0x8002n,
    ]);
  });
  test.each([
    ['IF while VIP is set', VIP, IF],
    ['TF', 0n, TF],
  ])('POPF of %s is #GP(0), with the stack as it was', (_, flags, image) => {
    const t = v86(flags, VME, '9d');
    t.machine.memory.write(hpa(0x4_8000), 2, image);
    t.steps(1);
    expect(t.exceptions).toEqual(['13:0']);
    expect(t.read(Number(t.get('RSP')) + 16, 4)).toBe(0x8000n);
  });
  test.each([
    ['nothing special returns', 0n, 0n, []],
    ['IF while VIP is set is #GP(0)', VIP, IF, ['13:0']],
    ['TF is #GP(0)', 0n, TF, ['13:0']],
  ])('IRET to an image with %s', (_, flags, image, expected) => {
    const t = v86(flags, VME, 'cf');
    [0x10n, 0x2000n, image | 1n].forEach((value, index) => t.machine.memory.write(hpa(0x4_8000 + 2 * index), 2, value));
    t.steps(1);
    expect(t.exceptions).toEqual(expected);
    if (expected.length === 0) expect([t.get('RIP'), flag(t, 1n)]).toEqual([0x10n, true]);
  });
});

describe('INT n of an 8086 program under VME', () => {
  const redirected = (flags: bigint): TestMachine => {
    const t = v86(flags, VME, 'cd 21');
    t.machine.memory.write(hpa(0x21 * 4), 4, 0x2000_0080n);
    return t;
  };
  test('whose bit is clear runs its own handler at CPL 3, and sees VIF as IF', () => {
    const t = redirected(VIF | IF);
    t.steps(1);
    expect([t.exceptions, t.get('RIP'), t.get('CPL'), flag(t, VM)]).toEqual([[], 0x80n, 3n, true]);
    expect([flag(t, VIF), flag(t, IF)]).toEqual([false, true]);
    expect([t.read(0x4_7ffa, 2), t.read(0x4_7ffc, 2), t.read(0x4_7ffe, 2) & (IF | IOPL)]).toEqual([
      2n,
      0x2000n,
      IF | IOPL,
    ]);
  });
  test('whose bit is clear clears IF where IOPL is 3', () => {
    const t = redirected(IOPL | IF);
    t.steps(1);
    expect([t.get('RIP'), flag(t, IF)]).toEqual([0x80n, false]);
  });
  test('whose bit is set goes to the monitor: as #GP(0) with IOPL 0, through the gate with IOPL 3', () => {
    for (const [flags, expected] of [
      [0n, '13:0'],
      [IOPL, '13:10a'],
    ] as const) {
      const t = redirected(flags);
      t.machine.memory.write(hpa(TSS + IO_MAP - 32 + 4), 1, 2n);
      t.steps(1);
      expect(t.exceptions).toEqual([expected]);
    }
  });
  test('whose bit lies beyond the TSS is #GP(0)', () => {
    const t = redirected(0n).set({'TR.limit': BigInt(IO_MAP - 32)});
    t.steps(1);
    expect(t.exceptions).toEqual(['13:0']);
  });
});

test('CR4.PVI gives CLI and STI at CPL 3 a virtual flag in protected mode, and changes nothing at CPL 3 with IOPL 3', () => {
  const t = protectedMode({cpl: 3, rflags: 2n | IF}, 'fb fa').set({CR4: PVI});
  t.steps(1);
  expect([flag(t, VIF), flag(t, IF), t.exceptions]).toEqual([true, true, []]);
  t.steps(1);
  expect([flag(t, VIF), flag(t, IF)]).toEqual([false, true]);
  const pending = protectedMode({cpl: 3, rflags: 2n | VIP}, 'fb').set({CR4: PVI});
  pending.steps(1);
  expect(pending.exceptions).toEqual(['13:0']);
  const privileged = protectedMode({cpl: 3, rflags: 2n | IOPL | IF}, 'fa').set({CR4: PVI});
  privileged.steps(1);
  expect(flag(privileged, IF)).toBe(false);
});

test('real mode has no virtual flag', () => {
  const t = realMode('fb').set({CR4: VME | PVI});
  t.steps(1);
  expect([flag(t, IF), flag(t, VIF), t.get('RIP') + BigInt(CODE)]).toEqual([true, false, BigInt(CODE + 1)]);
});
