import {expect, test} from 'vitest';
import {CODE, longMode, protectedMode, realMode} from '../machine-fixture.js';

/** DR7 with breakpoint 0 enabled, by R/W and LEN. */
const dr7 = (condition: number, length: number): bigint => BigInt(0x401 | (condition << 16) | (length << 18));
const RF = 1n << 16n;

test('a breakpoint on an instruction strikes before it, and RF lets it pass once', () => {
  const t = longMode({}, '90 ff c0 90').set({DR0: BigInt(CODE) + 1n, DR7: dr7(0, 0), RAX: 0n});
  t.steps(2);
  expect([t.exceptions, t.get('DR6') & 0xfn, t.get('RAX')]).toEqual([['1'], 1n, 0n]);
  const again = longMode({rflags: 2n | RF}, 'ff c0 90').set({DR0: BigInt(CODE), DR7: dr7(0, 0), RAX: 0n});
  again.steps(1);
  expect([again.exceptions, again.get('RAX'), again.get('RFLAGS') & RF]).toEqual([[], 1n, 0n]);
});

test('a breakpoint on writes strikes after the write, wherever it overlaps', () => {
  const t = protectedMode({}, 'c7 05 fe ff 04 00 78 56 34 12 90').set({DR0: 0x5_0000n, DR7: dr7(1, 0)});
  t.steps(1);
  expect(t.exceptions).toEqual(['1']);
  expect(t.read(0x4_fffe, 4)).toBe(0x1234_5678n);
  // The frame: the next instruction is where the handler returns to.
  expect(t.read(0x3_8000 - 12, 4)).toBe(BigInt(CODE) + 10n);
});

test('a read strikes only where reads are asked for, and an access beside the breakpoint does not', () => {
  const run = (condition: number, address: bigint): readonly string[] => {
    const t = protectedMode({}, 'a1 00 00 05 00').set({DR0: address, DR7: dr7(condition, 3)});
    t.steps(1);
    return t.exceptions;
  };
  expect([run(1, 0x5_0000n), run(3, 0x5_0000n), run(3, 0x5_0004n), run(3, 0x5_0003n)]).toEqual([[], ['1'], [], ['1']]);
});

test('a breakpoint that is not enabled does nothing', () => {
  const t = protectedMode({}, 'a1 00 00 05 00').set({DR0: 0x5_0000n, DR7: dr7(3, 3) & ~1n});
  t.steps(1);
  expect(t.exceptions).toEqual([]);
});

test('MOV SS holds a data breakpoint back until the next instruction is done', () => {
  const t = realMode('8e 16 00 20 40 90').set({DR0: 0x2000n, DR7: dr7(3, 1), RAX: 0n});
  t.steps(1);
  expect(t.exceptions).toEqual([]);
  t.steps(1);
  expect([t.exceptions, t.get('RAX')]).toEqual([['1'], 1n]);
});

test('a port breakpoint needs CR4.DE', () => {
  const run = (cr4: bigint): readonly string[] => {
    const t = protectedMode({}, 'e6 80').set({DR0: 0x80n, DR7: dr7(2, 0), CR4: cr4});
    t.steps(1);
    return t.exceptions;
  };
  expect([run(0n), run(8n)]).toEqual([[], ['1']]);
});

test('DR7.GD guards the debug registers, and the handler is let in', () => {
  const t = longMode({}, '0f 21 c0').set({DR7: 0x2400n});
  t.steps(1);
  expect([t.exceptions, t.get('DR6') & 0x2000n, t.get('DR7')]).toEqual([['1'], 0x2000n, 0x400n]);
});

test('B0 to B3 tell of the last #DB alone; the other bits of DR6 stay', () => {
  const t = longMode({}, '90').set({DR2: BigInt(CODE), DR7: 0x410n, DR6: 0xffff_4ff2n});
  t.steps(1);
  expect([t.exceptions, t.get('DR6')]).toEqual([['1'], 0xffff_4ff4n]);
});

test('INT1 after MOV SS and the data breakpoint that MOV SS struck are one #DB', () => {
  const t = realMode('8e 16 00 20 f1 90').set({DR0: 0x2000n, DR7: dr7(3, 1), DR6: 0xffff_0ff0n, RSP: 0x7000n});
  t.steps(2);
  // One frame of FLAGS, CS and IP, and nothing waits before the handler's first instruction.
  expect([t.get('RSP'), t.get('DR6'), t.machine.pins.holdsDebug]).toEqual([0x7000n - 6n, 0xffff_0ff1n, false]);
});
