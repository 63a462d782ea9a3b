import {describe, expect, test} from 'vitest';
import {CODE, SEL, TestMachine, USER_CODE, longMode, protectedMode, realMode} from '../machine-fixture.js';
import {Machine} from '../machine.js';
import {NEHALEM_COSTS} from './cost-model.js';
import {withFeature} from './features.js';
import {MODERN_INTEL, NEHALEM} from './profiles.js';

const AC = 1n << 18n;
const ZF = 0x40n;

describe('what CPUID does not announce does not exist', () => {
  const mnemonicRun = (profile: typeof NEHALEM, code: string): readonly string[] => {
    const t = new TestMachine(profile).bytes(0x1_0000, code);
    t.machine.registers.setSegment('CS', {selector: 0x1000, base: 0x1_0000n, limit: 0xffff, attributes: 0x9b});
    t.set({RIP: 0n, RSP: 0x7000n, 'IDTR.limit': 0x3ffn});
    t.steps(1);
    return t.exceptions;
  };
  test.each([
    ['POPCNT', 'popcnt', 'f3 0f b8 c3'],
    ['CMPXCHG8B', 'cx8', '0f c7 0e 00 20'],
    ['CMOVcc', 'cmov', '0f 44 c3'],
    ['RDTSCP', 'rdtscp', '0f 01 f9'],
    ['CLFLUSH', 'clflush', '0f ae 3e 00 20'],
    ['RDTSC', 'tsc', '0f 31'],
  ] as const)('%s is #UD without it, and runs with it', (_, feature, code) => {
    expect(mnemonicRun(NEHALEM, code)).toEqual([]);
    expect(mnemonicRun(withFeature(NEHALEM, feature, 'off'), code)).toEqual(['6']);
  });

  test('LZCNT and TZCNT are BSR and BSF on a processor that came before them', () => {
    const results = [MODERN_INTEL, NEHALEM].map(profile => {
      const t = new TestMachine(profile).bytes(0x1_0000, 'f3 0f bd c3 f3 0f bc cb');
      t.machine.registers.setSegment('CS', {selector: 0x1000, base: 0x1_0000n, limit: 0xffff, attributes: 0x9b});
      t.set({RIP: 0n, RBX: 0x0100n}).steps(2);
      return [t.get('RAX') & 0xffffn, t.get('RCX') & 0xffffn];
    });
    expect(results).toEqual([
      [7n, 8n],
      [8n, 8n],
    ]);
  });

  test('VEX instructions are #UD in real mode whatever is announced', () => {
    const t = realMode('c4 e2 60 f2 c1');
    t.steps(1);
    expect(t.exceptions).toEqual(['6']);
  });
});

describe('compare and exchange of pairs', () => {
  test('CMPXCHG8B stores ECX:EBX where EDX:EAX matches, and else loads EDX:EAX', () => {
    const t = protectedMode({}, 'f0 0f c7 0d 00 00 05 00 0f c7 0d 00 00 05 00').quad(0x5_0000, 0x1111_2222_3333_4444n);
    t.set({RDX: 0x1111_2222n, RAX: 0x3333_4444n, RCX: 0xaaaa_aaaan, RBX: 0xbbbb_bbbbn}).steps(1);
    expect([t.read(0x5_0000, 8), t.get('RFLAGS') & ZF]).toEqual([0xaaaa_aaaa_bbbb_bbbbn, ZF]);
    t.steps(1);
    expect([t.get('RDX'), t.get('RAX'), t.get('RFLAGS') & ZF]).toEqual([0xaaaa_aaaan, 0xbbbb_bbbbn, 0n]);
  });

  test('CMPXCHG16B exchanges 16 bytes, and wants them aligned', () => {
    const t = longMode({}, '48 0f c7 0c 25 00 00 05 00 48 0f c7 0c 25 08 00 05 00').quad(0x5_0000, 5n);
    t.set({RAX: 5n, RDX: 0n, RBX: 7n, RCX: 9n}).steps(1);
    expect([t.read(0x5_0000, 8), t.read(0x5_0008, 8)]).toEqual([7n, 9n]);
    t.steps(1);
    expect(t.exceptions).toEqual(['13:0']);
  });
});

test('BOUND lets an index between its bounds pass, signed, and gives #BR to others', () => {
  const t = protectedMode({}, '62 05 00 00 05 00 62 05 00 00 05 00').quad(0x5_0000, 0x0000_0002_ffff_fffen);
  t.set({RAX: 0xffff_ffffn}).steps(1);
  expect(t.exceptions).toEqual([]);
  t.set({RAX: 3n}).steps(1);
  expect(t.exceptions).toEqual(['5']);
});

test('MOVBE reverses the bytes on the way, and CRC32 is the checksum of iSCSI', () => {
  const t = longMode({}, '0f 38 f0 04 25 00 00 05 00').quad(0x5_0000, 0x1234_5678n);
  t.steps(1);
  expect(t.get('RAX')).toBe(0x7856_3412n);
  // RFC 3720, appendix B.4: 32 bytes of zeros give 8A9136AAh, which is the complement of the accumulator.
  const profile = withFeature(MODERN_INTEL, 'sse42', 'on');
  const machine = new Machine({memoryBytes: 1 << 20, profile, costModel: NEHALEM_COSTS});
  machine.registers.set('RAX', 0xffff_ffffn);
  realModeOn(
    machine,
    [...Array(8).keys()].flatMap(() => [0x66, 0xf2, 0x0f, 0x38, 0xf1, 0xc3]),
  );
  expect(machine.registers.get('RAX')).toBe(0x756e_c955n);
});

describe('questions about selectors', () => {
  const ask = (code: string, selector: number, cpl: 0 | 3 = 0): readonly [bigint, bigint] => {
    const t = protectedMode({cpl}, code).set({RBX: BigInt(selector), RAX: 0x5555n});
    t.steps(1);
    expect(t.exceptions).toEqual([]);
    return [t.get('RAX'), (t.get('RFLAGS') & ZF) >> 6n];
  };
  test('LAR gives the rights of a descriptor that may be seen, and leaves the register alone else', () => {
    expect(ask('0f 02 c3', SEL.data)).toEqual([0xcf_9300n, 1n]);
    expect(ask('0f 02 c3', SEL.data, 3)).toEqual([0x5555n, 0n]);
    expect(ask('0f 02 c3', SEL.userData, 3)).toEqual([0xcf_f300n, 1n]);
    expect(ask('0f 02 c3', 0)).toEqual([0x5555n, 0n]);
    expect(ask('0f 02 c3', 0xfff8)).toEqual([0x5555n, 0n]);
    expect(ask('0f 02 c3', SEL.callGate)[1]).toBe(1n);
  });
  test('LSL gives the limit in bytes', () => {
    expect(ask('0f 03 c3', SEL.data)).toEqual([0xffff_ffffn, 1n]);
    expect(ask('0f 03 c3', SEL.small)).toEqual([0xfn, 1n]);
    expect(ask('0f 03 c3', SEL.callGate)).toEqual([0x5555n, 0n]);
  });
  test('VERR and VERW say whether a segment could be read or written', () => {
    expect(ask('0f 00 e3', SEL.readOnly)[1]).toBe(1n);
    expect(ask('0f 00 eb', SEL.readOnly)[1]).toBe(0n);
    expect(ask('0f 00 eb', SEL.data)[1]).toBe(1n);
    expect(ask('0f 00 e3', SEL.data, 3)[1]).toBe(0n);
    expect(ask('0f 00 eb', SEL.code32)[1]).toBe(0n);
  });
  test('ARPL raises an RPL and never lowers it, writes only where it raises; in real mode it does not exist', () => {
    const t = protectedMode({}, '63 c3 63 c3').set({RBX: 0x20n, RAX: 0x13n});
    t.steps(1);
    expect([t.get('RBX'), t.get('RFLAGS') & ZF]).toEqual([0x23n, ZF]);
    t.set({RAX: 0x11n}).steps(1);
    expect([t.get('RBX'), t.get('RFLAGS') & ZF]).toEqual([0x23n, 0n]);
    const readOnly = protectedMode({}, '63 18', 'f4').set({RAX: 0x5_0000n, RBX: 2n});
    readOnly.machine.registers.set('DS.attributes', 0xc091n);
    readOnly.quad(0x5_0000, 3n).run();
    expect([readOnly.exceptions, readOnly.get('RFLAGS') & ZF]).toEqual([[], 0n]);
    const real = realMode('63 c3');
    real.steps(1);
    expect(real.exceptions).toEqual(['6']);
  });
});

describe('SYSENTER and SYSEXIT', () => {
  test('go into ring 0 and back in 32-bit mode', () => {
    const t = protectedMode({cpl: 3, rflags: 0x202n}, '0f 34').bytes(0x3_0000, '0f 35');
    t.set({SYSENTER_CS: 0x40n, SYSENTER_EIP: 0x3_0000n, SYSENTER_ESP: 0x3_7000n});
    t.steps(1);
    expect([t.get('CPL'), t.get('RIP'), t.get('RSP'), t.get('CS.selector'), t.get('SS.selector')]).toEqual([
      0n,
      0x3_0000n,
      0x3_7000n,
      0x40n,
      0x48n,
    ]);
    expect(t.get('RFLAGS') & 0x200n).toBe(0n);
    t.set({RDX: BigInt(USER_CODE), RCX: 0x4_8000n}).steps(1);
    expect([t.get('CPL'), t.get('RIP'), t.get('RSP'), t.get('CS.selector'), t.get('SS.selector')]).toEqual([
      3n,
      BigInt(USER_CODE),
      0x4_8000n,
      0x53n,
      0x5bn,
    ]);
  });
  test('are #GP(0) until IA32_SYSENTER_CS was written', () => {
    const t = protectedMode({cpl: 3}, '0f 34');
    t.steps(1);
    expect(t.exceptions).toEqual(['13:0']);
    expect(t.why).toBe('IA32_SYSENTER_CS names a segment');
  });
  test('return to 64-bit mode with REX.W, but not to an address that is not canonical', () => {
    const t = longMode({}, '48 0f 35').set({SYSENTER_CS: 8n, RDX: 1n << 47n, RCX: 0n});
    t.steps(1);
    expect(t.exceptions).toEqual(['13:0']);
    const good = longMode({}, '48 0f 35').set({SYSENTER_CS: 8n, RDX: 0x2_0000n, RCX: 0x4_8000n});
    good.steps(1);
    expect([good.get('CPL'), good.get('RIP'), good.get('CS.selector'), good.machine.mode]).toEqual([
      3n,
      0x2_0000n,
      0x2bn,
      '64-bit',
    ]);
  });
});

describe('later system instructions', () => {
  test('RDTSCP reads IA32_TSC_AUX into ECX, and so does RDPID without the time', () => {
    const t = longMode({}, '0f 01 f9 f3 0f c7 fa').set({TSC_AUX: 7n, TSC: 0x1_0000_0005n});
    t.steps(2);
    expect([t.get('RDX'), t.get('RCX')]).toEqual([7n, 7n]);
  });
  test('WRFSBASE needs CR4.FSGSBASE, works in ring 3, and refuses what is not canonical', () => {
    const code = 'f3 48 0f ae d0 f3 48 0f ae c3 f3 48 0f ae d1';
    const without = longMode({cpl: 3}, code);
    without.steps(1);
    expect(without.exceptions).toEqual(['6']);
    const t = longMode({cpl: 3}, code).set({CR4: 0x1_0020n, RAX: 0x7fff_1234n, RCX: 1n << 63n});
    t.steps(2);
    expect([t.get('FS.base'), t.get('RBX')]).toEqual([0x7fff_1234n, 0x7fff_1234n]);
    t.steps(1);
    expect(t.exceptions).toEqual(['13:0']);
  });
  test('STAC and CLAC set AC in ring 0, and are #UD outside', () => {
    const t = longMode({}, '0f 01 cb 0f 01 ca');
    t.steps(1);
    expect(t.get('RFLAGS') & AC).toBe(AC);
    t.steps(1);
    expect(t.get('RFLAGS') & AC).toBe(0n);
    const user = longMode({cpl: 3}, '0f 01 cb');
    user.steps(1);
    expect(user.exceptions).toEqual(['6']);
  });
  test('RDRAND gives the same numbers to the same seed, others to another, and CF says that there was one', () => {
    const draw = (entropySeed: bigint): readonly bigint[] => {
      const machine = new Machine({memoryBytes: 1 << 20, profile: MODERN_INTEL, costModel: NEHALEM_COSTS, entropySeed});
      const t = realModeOn(machine, [0x66, 0x0f, 0xc7, 0xf0, 0x66, 0x0f, 0xc7, 0xf3, 0x66, 0x0f, 0xc7, 0xf9]);
      return (['RAX', 'RBX', 'RCX', 'RFLAGS'] as const).map(cell => t.registers.get(cell));
    };
    const [first = 0n, second = 0n, seed = 0n, flags = 0n] = draw(1n);
    expect(draw(1n)).toEqual([first, second, seed, flags]);
    expect(new Set([first, second, seed, ...draw(2n).slice(0, 3)]).size).toBe(6);
    expect(flags & 0x8d5n).toBe(1n);
  });
  test('RDPMC knows no counter: no profile announces one', () => {
    const t = longMode({}, '0f 33');
    t.steps(1);
    expect(t.exceptions).toEqual(['13:0']);
  });
  test('MONITOR and MWAIT are #UD outside ring 0; MWAIT may return at once', () => {
    const profile = withFeature(MODERN_INTEL, 'monitor', 'on');
    const machine = new Machine({memoryBytes: 1 << 20, profile, costModel: NEHALEM_COSTS});
    realModeOn(machine, [0x0f, 0x01, 0xc8, 0x0f, 0x01, 0xc9]);
    expect(machine.registers.get('RIP')).toBe(6n);
  });
});

/** Runs code in real mode at 1000:0 to its end, one step for each instruction of three or four bytes. */
function realModeOn(machine: Machine, code: readonly number[]): Machine {
  code.forEach((byte, at) => (machine.memory.bytes[0x1_0000 + at] = byte));
  machine.registers.setSegment('CS', {selector: 0x1000, base: 0x1_0000n, limit: 0xffff, attributes: 0x9b});
  machine.registers.set('RIP', 0n);
  while (machine.registers.number('RIP') < code.length) machine.step();
  return machine;
}

describe('INVPCID and XSETBV', () => {
  test('check what they are given before they do anything', () => {
    const t = new TestMachine(withFeature(MODERN_INTEL, 'invpcid', 'on')).bytes(0x1_0000, '66 0f 38 82 06 00 20');
    t.machine.registers.setSegment('CS', {selector: 0x1000, base: 0x1_0000n, limit: 0xffff, attributes: 0x9b});
    t.set({RIP: 0n, RAX: 4n, 'IDTR.limit': 0x3ffn}).steps(1);
    expect(t.why).toBe('the type is 0 to 3');
  });
  test('XGETBV is #UD until CR4.OSXSAVE; XSETBV keeps x87 state on', () => {
    const machineWith = (cr4: bigint, code: string): TestMachine => {
      const t = new TestMachine(withFeature(MODERN_INTEL, 'xsave', 'on')).bytes(0x1_0000, code);
      t.machine.registers.setSegment('CS', {selector: 0x1000, base: 0x1_0000n, limit: 0xffff, attributes: 0x9b});
      t.set({RIP: 0n, RDX: 0n, CR4: cr4, 'IDTR.limit': 0x3ffn}).steps(1);
      return t;
    };
    expect(machineWith(0n, '0f 01 d0').exceptions).toEqual(['6']);
    expect(machineWith(1n << 18n, '0f 01 d0').get('RAX')).toBe(1n);
    expect(machineWith(1n << 18n, '0f 01 d1').why).toBe('bit 0 (x87) = 1');
  });
});

describe('the x87 unit that CR0 declares absent', () => {
  const run = (cr0: bigint, code: string): readonly string[] => {
    const t = protectedMode({}, code).set({CR0: 0x11n | cr0, CR4: 0x200n});
    t.steps(1);
    return t.exceptions;
  };
  test('EM makes x87 instructions #NM and SSE #UD, TS makes both #NM', () => {
    expect([run(4n, 'd9 e8'), run(4n, '0f 28 c1')]).toEqual([['7'], ['6']]);
    expect([run(8n, 'd9 e8'), run(8n, '0f 28 c1')]).toEqual([['7'], ['7']]);
  });
  test('WAIT is #NM only with MP and TS', () =>
    expect([run(0n, '9b'), run(8n, '9b'), run(10n, '9b')]).toEqual([[], [], ['7']]));
});

describe('MONITOR and MWAIT', () => {
  const HLT = 'f4',
    MONITOR = '0f 01 c8',
    MWAIT = '0f 01 c9';
  const waiting = (...code: readonly string[]): TestMachine =>
    protectedMode({}, ...code).set({RAX: 0x5_0000n, RCX: 0n});

  test('MWAIT waits as HLT does while the monitored line is as it was', () => {
    const t = waiting(MONITOR, MWAIT, '90', HLT);
    expect(t.run().last.kind).toBe('halted');
    expect(t.get('RIP')).toBe(BigInt(CODE + 6));
  });
  test('a store to the line before MWAIT, or no MONITOR at all, and it does not wait', () => {
    const stored = waiting(MONITOR, 'c7 05 3c 00 05 00 01 00 00 00', MWAIT, HLT);
    stored.run();
    expect(stored.get('RIP')).toBe(BigInt(CODE + 17));
    const unarmed = waiting(MWAIT, HLT);
    unarmed.run();
    expect(unarmed.get('RIP')).toBe(BigInt(CODE + 4));
  });
});
