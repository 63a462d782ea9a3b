// Each processor has what it announces and nothing else: software asks CPUID, by executing it, and then tries.

import {describe, expect, test} from 'vitest';
import {TestMachine, longMode, protectedMode} from '../machine-fixture.js';
import {Machine} from '../machine.js';
import {virtualizationOf} from '../virtualization.js';
import {NEHALEM_COSTS} from './cost-model.js';
import type {ProcessorProfile} from './core.js';
import {AMD_SVM} from './profiles-amd.js';
import {I386, I486, PENTIUM, PENTIUM_III} from './profiles-early.js';
import {PRESCOTT} from './profiles-intel64.js';
import {MODERN_INTEL, NEHALEM, PROFILES, WESTMERE} from './profiles.js';

const UD = ['6'];
const GP = ['13:0'];

/** Real mode at 1000:0000, DS at 0, so that memory operands lie in RAM. */
function real(profile: ProcessorProfile, ...code: readonly string[]): TestMachine {
  const t = new TestMachine(profile).bytes(0x1_0000, ...code);
  t.machine.registers.setSegment('CS', {selector: 0x1000, base: 0x1_0000n, limit: 0xffff, attributes: 0x9b});
  return t.set({RIP: 0n, RSP: 0x7000n, 'IDTR.limit': 0x3ffn});
}

/** One register of a leaf, as CPUID gives it; 0 where the highest leaf is below, or where there is no CPUID. */
function announced(profile: ProcessorProfile, leaf: number, subleaf: number, register: 'RAX' | 'RBX' | 'RCX' | 'RDX') {
  const ask = (number: number, within: number): TestMachine =>
    real(profile, '0f a2')
      .set({RAX: BigInt(number), RCX: BigInt(within)})
      .after(1);
  const highest = ask(leaf >= 0x8000_0000 ? 0x8000_0000 : 0, 0);
  if (highest.exceptions.length > 0 || highest.get('RAX') < BigInt(leaf)) return 0n;
  return ask(leaf, subleaf).get(register);
}

const bit = (value: bigint, index: number): boolean => ((value >> BigInt(index)) & 1n) === 1n;
const ids = (profiles: readonly ProcessorProfile[]): readonly string[] => profiles.map(({id}) => id);
const having = (holds: (profile: ProcessorProfile) => boolean): readonly string[] => ids(PROFILES.filter(holds));

type Row = readonly [
  name: string,
  leaf: number,
  register: 'RBX' | 'RCX' | 'RDX',
  index: number,
  mode: 'real' | '64-bit',
  code: string,
];

const BY_CPUID: readonly Row[] = [
  ['RDTSC', 1, 'RDX', 4, 'real', '0f 31'],
  ['CMPXCHG8B', 1, 'RDX', 8, 'real', '0f c7 0e 00 20'],
  ['CMOVZ', 1, 'RDX', 15, 'real', '0f 44 c3'],
  ['CLFLUSH', 1, 'RDX', 19, 'real', '0f ae 3e 00 20'],
  ['POPCNT', 1, 'RCX', 23, 'real', 'f3 0f b8 c3'],
  ['MOVBE', 1, 'RCX', 22, 'real', '0f 38 f0 06 00 20'],
  ['RDRAND', 1, 'RCX', 30, 'real', '0f c7 f0'],
  ['RDSEED', 7, 'RBX', 18, 'real', '0f c7 f8'],
  ['ADCX', 7, 'RBX', 19, 'real', '66 0f 38 f6 c3'],
  ['CLFLUSHOPT', 7, 'RBX', 23, 'real', '66 0f ae 3e 00 20'],
  ['CLWB', 7, 'RBX', 24, 'real', '66 0f ae 36 00 20'],
  ['RDPID', 7, 'RCX', 22, 'real', 'f3 0f c7 f8'],
  ['CLAC', 7, 'RBX', 20, 'real', '0f 01 ca'],
  ['RDTSCP', 0x8000_0001, 'RDX', 27, 'real', '0f 01 f9'],
  ['MONITOR', 1, 'RCX', 3, 'real', '0f 01 c8'],
  ['CMPXCHG16B', 1, 'RCX', 13, '64-bit', '48 0f c7 0c 25 00 00 05 00'],
  ['LAHF', 0x8000_0001, 'RCX', 0, '64-bit', '9f'],
  ['ANDN', 7, 'RBX', 3, '64-bit', 'c4 e2 60 f2 c1'],
  ['PDEP', 7, 'RBX', 8, '64-bit', 'c4 e2 63 f5 c1'],
];

test.each(BY_CPUID)('%s exists on exactly the processors that announce it', (_, leaf, register, index, mode, code) => {
  const among = mode === 'real' ? PROFILES : PROFILES.filter(each => bit(announced(each, 0x8000_0001, 0, 'RDX'), 29));
  const tried = among.map(profile => {
    const t = mode === 'real' ? real(profile, code) : longMode({profile}, code);
    t.steps(1);
    return [profile.id, t.exceptions] as const;
  });
  expect(tried).toEqual(
    among.map(profile => [profile.id, bit(announced(profile, leaf, 0, register), index) ? [] : UD] as const),
  );
});

test.each([
  ['BSWAP', '66 0f c8', 'i486'],
  ['XADD', '0f c1 c3', 'i486'],
  ['CMPXCHG', '0f b1 c3', 'i486'],
  ['INVLPG', '0f 01 3e 00 20', 'i486'],
  ['INVD', '0f 08', 'i486'],
  ['WBINVD', '0f 09', 'i486'],
  ['CPUID', '0f a2', 'pentium'],
  ['MOV to CR4', '0f 22 e3', 'pentium'],
  ['MOV from CR4', '0f 20 e3', 'pentium'],
  ['NOP r/m', '0f 1f c0', 'pentium-iii'],
  ['PREFETCHNTA, as a hint', '0f 18 06 00 20', 'pentium-iii'],
  ['PREFETCHW, as a hint', '0f 0d 0e 00 20', 'prescott'],
])('%s came with a generation', (_, code, first) => {
  const since = PROFILES.findIndex(({id}) => id === first);
  const works = PROFILES.map(profile => real(profile, code).after(1).exceptions);
  expect(works).toEqual(PROFILES.map((_profile, index) => (index < since ? UD : [])));
});

describe('flags and control registers', () => {
  // What every piece of software of the nineties did to find out where it runs:
  // pushfd; pop eax; mov ecx, eax; xor eax, bit; push eax; popfd; pushfd; pop eax; xor eax, ecx; push ecx; popfd
  const toggle = (mask: string): string =>
    `66 9c 66 58 66 89 c1 66 35 ${mask} 66 50 66 9d 66 9c 66 58 66 31 c8 66 51 66 9d`;
  const detect = [
    toggle('00 00 04 00'),
    '66 89 c7', // mov edi, eax: what became of AC
    toggle('00 00 20 00'),
    '66 89 c6', // mov esi, eax: what became of ID
    '66 85 c0 74 08', // test eax, eax; jz no_cpuid
    '66 b8 01 00 00 00 0f a2', // mov eax, 1; cpuid
    'f4',
  ];
  function family(profile: ProcessorProfile): bigint {
    const t = real(profile, ...detect);
    t.run();
    expect(t.exceptions).toEqual([]);
    if (t.get('RDI') === 0n) return 3n;
    if (t.get('RSI') === 0n) return 4n;
    return (t.get('RAX') >> 8n) & 15n;
  }

  test('AC and ID, toggled as software toggled them, tell 386, 486 and the families that CPUID names', () =>
    expect(PROFILES.map(profile => [profile.id, family(profile)])).toEqual([
      ['i386', 3n],
      ['i486', 4n],
      ['pentium', 5n],
      ['pentium-iii', 6n],
      ['prescott', 15n],
      ['amd-svm', 15n],
      ['nehalem', 6n],
      ['westmere', 6n],
      ['modern-intel', 6n],
    ]));

  test('EDX holds the signature after RESET, and CPUID leaf 1 gives the same', () => {
    for (const profile of PROFILES) {
      const {registers} = new Machine({memoryBytes: 4096, profile, costModel: NEHALEM_COSTS});
      expect(registers.get('RDX')).toBe(BigInt(profile.signature));
      if (profile.cpuid.has(0)) expect(announced(profile, 1, 0, 'RAX')).toBe(BigInt(profile.signature));
    }
  });

  test('a 386 starts with CR0 = 0 and has no WP, AM, NE, NW, CD; later ones disable their caches at RESET', () => {
    // mov ebx, E005003Ah; mov cr0, ebx; mov eax, cr0
    const loaded = (profile: ProcessorProfile): bigint =>
      real(profile, '0f 22 c3', '0f 20 c0').set({RBX: 0x6005_003an}).after(2).get('RAX');
    expect([loaded(I386), loaded(I486)]).toEqual([0x1an, 0x6005_003an]);
    const atReset = (profile: ProcessorProfile): bigint =>
      new Machine({memoryBytes: 4096, profile, costModel: NEHALEM_COSTS}).registers.get('CR0');
    expect([atReset(I386), atReset(I486)]).toEqual([0n, 0x6000_0010n]);
  });

  test('IRET cannot set a flag that the processor lacks either', () => {
    // push 240002h (ID, AC); push cs; push 0 of the next instruction: 66 68 imm32; 66 0e; 66 6a 0b; iretd; hlt
    const flags = (profile: ProcessorProfile): bigint => {
      const t = real(profile, '66 68 02 00 24 00', '66 0e', '66 6a 0e', '66 cf', '90 f4');
      t.run();
      return t.get('RFLAGS') & 0x24_0000n;
    };
    expect([flags(I386), flags(I486), flags(PENTIUM)]).toEqual([0n, 0x4_0000n, 0x24_0000n]);
  });

  test.each([
    ['PSE', 4, 'pentium'],
    ['PAE', 5, 'pentium-iii'],
    ['PGE', 7, 'pentium-iii'],
    ['UMIP', 11, 'modern-intel'],
    ['SMEP', 20, 'modern-intel'],
    ['SMAP', 21, 'modern-intel'],
  ])('CR4.%s can be set since its processor, and gives #GP before', (_, index, first) => {
    const since = PROFILES.findIndex(({id}) => id === first);
    const withCr4 = PROFILES.filter(({generation}) => generation !== 'i386' && generation !== 'i486');
    const results = withCr4.map(
      profile =>
        real(profile, '0f 22 e3')
          .set({RBX: 1n << BigInt(index)})
          .after(1).exceptions,
    );
    expect(results).toEqual(withCr4.map(profile => (PROFILES.indexOf(profile) < since ? GP : [])));
  });
});

describe('model-specific registers', () => {
  const readable = (index: number): readonly string[] =>
    having(
      profile =>
        real(profile, '0f 32')
          .set({RCX: BigInt(index)})
          .after(1).exceptions.length === 0,
    );
  const SINCE_PRESCOTT = ['prescott', 'amd-svm', 'nehalem', 'westmere', 'modern-intel'];

  test.each([
    ['IA32_TIME_STAMP_COUNTER', 0x10, ['pentium', 'pentium-iii', ...SINCE_PRESCOTT]],
    ['IA32_APIC_BASE', 0x1b, ['pentium-iii', ...SINCE_PRESCOTT]],
    ['IA32_SYSENTER_CS', 0x174, ['pentium-iii', ...SINCE_PRESCOTT]],
    ['IA32_PAT', 0x277, ['pentium-iii', ...SINCE_PRESCOTT]],
    ['IA32_MISC_ENABLE', 0x1a0, SINCE_PRESCOTT.filter(id => id !== 'amd-svm')],
    ['IA32_EFER', 0xc000_0080, SINCE_PRESCOTT],
    ['IA32_LSTAR', 0xc000_0082, SINCE_PRESCOTT],
    ['IA32_TSC_AUX', 0xc000_0103, ['amd-svm', 'nehalem', 'westmere', 'modern-intel']],
  ])('%s', (_, index, expected) => expect(readable(index)).toEqual(expected));

  test('long mode is refused without LM: EFER.LME is a reserved bit, or there is no EFER at all', () => {
    const enabled = having(
      profile => real(profile, '0f 30').set({RCX: 0xc000_0080n, RDX: 0n, RAX: 0x100n}).after(1).exceptions.length === 0,
    );
    expect(enabled).toEqual(SINCE_PRESCOTT);
  });
});

describe('virtualization', () => {
  /** In 64-bit mode, with the unit that the profile announces. */
  function withUnit(
    profile: ProcessorProfile,
    code: string,
    cells: Parameters<TestMachine['set']>[0] = {},
  ): TestMachine {
    return longMode({profile, unit: virtualizationOf(profile)}, code).set(cells);
  }
  const rdmsr = (profile: ProcessorProfile, index: number): bigint | undefined => {
    const t = withUnit(profile, '0f 32', {RCX: BigInt(index)}).after(1);
    return t.exceptions.length === 0 ? (t.get('RDX') << 32n) | t.get('RAX') : undefined;
  };

  test('without its unit, a processor does not announce VMX or SVM', () => {
    expect(bit(announced(WESTMERE, 1, 0, 'RCX'), 5)).toBe(false);
    expect(bit(announced(AMD_SVM, 0x8000_0001, 0, 'RCX'), 2)).toBe(false);
    const t = withUnit(WESTMERE, '0f a2', {RAX: 1n}).after(1);
    expect(bit(t.get('RCX'), 5)).toBe(true);
  });

  test('the first VT-x has no secondary controls, no EPT, no TRUE controls; each generation adds to the one before', () => {
    const existing = (profile: ProcessorProfile): readonly number[] =>
      [0x480, 0x482, 0x48b, 0x48c, 0x48d, 0x490].filter(index => rdmsr(profile, index) !== undefined);
    expect(existing(PRESCOTT)).toEqual([0x480, 0x482]);
    expect(existing(NEHALEM)).toEqual([0x480, 0x482, 0x48b, 0x48c, 0x48d, 0x490]);
    const may = (profile: ProcessorProfile, control: number): boolean => bit(rdmsr(profile, 0x48b) ?? 0n, 32 + control);
    const [EPT, VPID, UNRESTRICTED, SCALING] = [1, 5, 7, 25];
    const has = [EPT, VPID, UNRESTRICTED, SCALING];
    expect(has.map(control => may(NEHALEM, control))).toEqual([true, true, false, false]);
    expect(has.map(control => may(WESTMERE, control))).toEqual([true, true, true, false]);
    expect(has.map(control => may(MODERN_INTEL, control))).toEqual([true, true, true, true]);
    expect(bit(rdmsr(PRESCOTT, 0x480) ?? 0n, 55)).toBe(false);
  });

  test('INVEPT and INVVPID are #UD on the first VT-x, where VMXON is only refused by CR4.VMXE', () => {
    // Outside VMX operation all of them are #UD; what differs is the reason.
    const why = (profile: ProcessorProfile, code: string): string | undefined => {
      const t = withUnit(profile, code).after(1);
      expect(t.exceptions).toEqual(UD);
      return t.why;
    };
    const [invept, invvpid, vmxon] = ['66 0f 38 80 00', '66 0f 38 81 00', 'f3 0f c7 30'];
    const unknown = 'the bytes are an instruction in this mode';
    expect([why(PRESCOTT, invept), why(PRESCOTT, invvpid)]).toEqual([unknown, unknown]);
    expect(why(PRESCOTT, vmxon)).not.toBe(unknown);
    expect([why(NEHALEM, invept), why(NEHALEM, invvpid)]).not.toContain(unknown);
    expect(why(AMD_SVM, vmxon)).toBe(unknown);
  });
});

describe("where AMD's manual differs from Intel's", () => {
  test('SYSENTER is #UD in long mode', () => {
    const code = '0f 34';
    const result = (profile: ProcessorProfile): readonly string[] =>
      longMode({profile}, code).set({SYSENTER_CS: 8n, SYSENTER_EIP: 0x1_0100n}).after(1).exceptions;
    expect([result(AMD_SVM), result(PRESCOTT)]).toEqual([UD, []]);
  });

  test('SYSENTER works in protected mode, there and on a Pentium III', () => {
    for (const profile of [AMD_SVM, PENTIUM_III]) {
      const t = protectedMode({cpl: 3, profile}, '0f 34').set({SYSENTER_CS: 8n, SYSENTER_EIP: 0x1_0100n});
      expect([t.after(1).exceptions, t.get('RIP'), t.get('CPL')]).toEqual([[], 0x1_0100n, 0n]);
    }
  });

  test('SYSCALL in protected mode goes to STAR[31:0], and SYSRET back', () => {
    const cells = {EFER: 1n, STAR: (0x13n << 48n) | (8n << 32n) | 0x1_0100n};
    const t = protectedMode({cpl: 3, rflags: 0x202n, profile: AMD_SVM}, '0f 05').set(cells);
    t.bytes(0x1_0100, '0f 07');
    const from = t.get('RIP');
    t.after(1);
    expect([t.get('RIP'), t.get('CPL'), t.get('RCX'), t.get('CS.selector')]).toEqual([0x1_0100n, 0n, from + 2n, 8n]);
    expect(t.get('RFLAGS') & 0x200n).toBe(0n);
    t.after(1);
    expect([t.get('RIP'), t.get('CPL'), t.get('CS.selector')]).toEqual([from + 2n, 3n, 0x13n]);
    expect(t.get('RFLAGS') & 0x200n).toBe(0x200n);
    expect(protectedMode({cpl: 3, profile: PRESCOTT}, '0f 05').set(cells).after(1).exceptions).toEqual(UD);
  });

  test('a leaf beyond the highest reads as zeros', () => {
    const beyond = (profile: ProcessorProfile): bigint => real(profile, '0f a2').set({RAX: 0x20n}).after(1).get('RBX');
    expect([beyond(AMD_SVM), beyond(NEHALEM)]).toEqual([0n, 1n]);
  });
});
