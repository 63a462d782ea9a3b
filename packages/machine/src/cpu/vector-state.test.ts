import {describe, expect, test} from 'vitest';
import {hpa} from '@hyperscope/base';
import {I386, PENTIUM, PENTIUM_III} from './profiles-early.js';
import {NEHALEM} from './profiles.js';
import {PT, TestMachine, longMode, protectedMode} from '../machine-fixture.js';

/** At 30000h, aligned to 4096 bytes. */
const AREA = 0x3_0000;
const OSFXSR = 0x200n;
const OSXSAVE = 1n << 18n;

/** 64-bit mode with RDI at the area, CR4.OSFXSR and CR4.OSXSAVE set and XCR0 = 3. */
function sse(...code: readonly string[]): TestMachine {
  return longMode({}, ...code, 'f4').set({CR4: 0x20n | OSFXSR | OSXSAVE, XCR0: 3n, RDI: BigInt(AREA)});
}
const vectors = (t: TestMachine) => t.machine.processor.vectors;
const hexAt = (t: TestMachine, address: number, length: number): string =>
  Buffer.from(t.machine.memory.bytes.subarray(address, address + length)).toString('hex');

describe('moves and logic', () => {
  test('MOVUPS takes any address, MOVAPS only multiples of 16', () => {
    const unaligned = sse('0f 10 47 01').after(1);
    expect(unaligned.exceptions).toEqual([]);
    const t = sse('0f 28 47 01').after(1);
    expect([t.exceptions, t.why]).toEqual([['13:0'], 'the address is a multiple of 16']);
  });
  test('MOVD and MOVQ clear what they do not fill; MOVSS between registers keeps it', () => {
    const t = sse('66 0f 6e c0', 'f3 0f 7e ca', 'f3 0f 10 d0').set({RAX: 0x1_2345_6789n});
    const all = (1n << 128n) - 1n;
    for (const name of ['XMM0', 'XMM1', 'XMM2'] as const) vectors(t).set(name, all);
    t.after(3);
    expect(vectors(t).get('XMM0')).toBe(0x2345_6789n);
    expect(vectors(t).get('XMM1')).toBe((1n << 64n) - 1n);
    expect(vectors(t).get('XMM2')).toBe(((all >> 32n) << 32n) | 0x2345_6789n);
  });
  test('a store that crosses into a page that is not there leaves memory as it was', () => {
    const t = sse('f3 0f 7f 47 f8').quad(PT + 8 * (AREA / 4096), 0n);
    vectors(t).set('XMM0', (1n << 128n) - 1n);
    t.after(1);
    expect([t.exceptions, t.get('CR2'), t.read(AREA - 8, 8)]).toEqual([['14:2'], BigInt(AREA), 0n]);
  });
  test('a change is announced before it happens', () => {
    const t = sse('66 0f ef c0');
    const seen: (readonly [string, number, number])[] = [];
    t.machine.observe({willWrite: (...change) => void seen.push(change), event: () => undefined});
    t.machine.step();
    expect(seen).toContainEqual(['vector', 160, 16]);
  });
  test('LOCK is refused', () => expect(sse('f0 66 0f ef c0').after(1).exceptions).toEqual(['6']));
});

describe('whether there is an SSE unit', () => {
  test('#UD without CR4.OSFXSR or with CR0.EM, #NM with CR0.TS; #UD first', () => {
    const run = (cr0: bigint, cr4: bigint) =>
      sse('66 0f ef c0')
        .set({CR0: 0x8001_0011n | cr0, CR4: 0x20n | cr4})
        .after(1).exceptions;
    expect([run(0n, 0n), run(4n, OSFXSR), run(8n, OSFXSR), run(8n, 0n)]).toEqual([['6'], ['6'], ['7'], ['6']]);
  });
  test('a Pentium III has MOVAPS and no MOVDQA, a Pentium has neither, and both say what is missing', () => {
    const on = (profile: typeof PENTIUM, code: string) => {
      const t = protectedMode({profile}, code, 'f4').set({CR4: OSFXSR});
      t.after(1);
      const [event] = t.all('exception');
      return event?.checks[0]?.values.find(([name]) => name === 'why not')?.[1];
    };
    expect(on(PENTIUM_III, '0f 28 c1')).toBeUndefined();
    expect(on(PENTIUM_III, '66 0f 6f c1')).toBe('this processor does not announce SSE2');
    expect(on(PENTIUM, '0f 28 c1')).toBe('this processor does not announce SSE');
    expect(on(PENTIUM, '0f 58 c1')).toBe('ADDPS: this processor does not announce SSE');
  });
  test('CR4.OSFXSR and CR4.OSXSAVE can be set where CPUID announces FXSR and XSAVE', () => {
    const load = (profile: typeof PENTIUM, eax: bigint) =>
      protectedMode({profile}, '0f 22 e0').set({RAX: eax}).after(1).exceptions;
    expect([load(PENTIUM, OSFXSR), load(PENTIUM_III, OSFXSR)]).toEqual([['13:0'], []]);
    expect([
      load(NEHALEM, OSXSAVE),
      sse('0f 22 e0')
        .set({RAX: 0x20n | OSXSAVE})
        .after(1).exceptions,
    ]).toEqual([['13:0'], []]);
  });
  test('arithmetic that is announced and not simulated stops the run with its name', () => {
    const {last} = sse('f2 0f 2a c0').run();
    expect(last).toMatchObject({kind: 'unsupported', what: 'F2 0F 2A: CVTSI2SD'});
  });
});

describe('MMX', () => {
  test('uses the x87 registers: top 0, all tags taken, ones above; EMMS empties them', () => {
    const t = longMode({}, '0f 6f c1', '0f 77', 'f4');
    vectors(t).set('FSW', 0x3800n);
    vectors(t).set('FTW', 0n);
    vectors(t).set('MM1', 0x1234n);
    t.after(1);
    const cells = ['MM0', 'MM0.exponent', 'FSW', 'FTW'] as const;
    expect(cells.map(cell => vectors(t).get(cell))).toEqual([0x1234n, 0xffffn, 0n, 0xffn]);
    t.after(1);
    expect(vectors(t).get('FTW')).toBe(0n);
  });
});

describe('x87 state', () => {
  // What a Zen 4 processor was given by FXRSTOR64, and what it then stored: FSW.TOP = 3, tags of every kind.
  const HEAD = '7f 03 25 5f b5 00 23 01 88 77 66 55 44 33 22 11 00 ff ee dd cc bb aa 99 bf 1f 00 00 00 00 00 00';
  const REGISTERS: readonly (readonly [bigint, bigint])[] = [
    [0x8000_0000_0000_0000n, 0x3fffn],
    [0n, 0n],
    [0x1234n, 0n],
    [0xc000_0000_0000_0000n, 0x7fffn],
    [0x4000_0000_0000_0000n, 0x4000n],
    [0xffff_ffff_ffff_ffffn, 0xbfffn],
    [0x8123_4567_89ab_cdefn, 1n],
    [0n, 0x8000n],
  ];
  const FNSAVE =
    '7f03ffff255fffffdcb9ffff887766550000230100ffeedd0000ffff' +
    '0000000000000080ff3f000000000000000000003412000000000000000000000000000000c0ff7f' +
    '00000000000000400040ffffffffffffffffffbfefcdab8967452381010000000000000000000080';
  const FNSAVE_16 = '7f03255fdcb98877000000ff0000';

  function restored(...code: readonly string[]): TestMachine {
    const t = sse('48 0f ae 0f', ...code).bytes(AREA, HEAD);
    REGISTERS.forEach(([significand, exponent], n) => {
      t.quad(AREA + 32 + 16 * n, significand);
      t.quad(AREA + 40 + 16 * n, exponent);
    });
    return t.set({RDX: BigInt(AREA + 0x800)});
  }

  test('FNSAVE stores what a real processor stored, and initializes', () => {
    const t = restored('dd 32').after(2);
    expect(hexAt(t, AREA + 0x800, 108)).toBe(FNSAVE);
    expect([vectors(t).get('FCW'), vectors(t).get('FSW'), vectors(t).get('FTW')]).toEqual([0x37fn, 0n, 0n]);
  });
  test('FNSAVE with 16-bit operands, too; FNSTENV stores its first part', () => {
    expect(hexAt(restored('66 dd 32').after(2), AREA + 0x800, 14)).toBe(FNSAVE_16);
    expect(hexAt(restored('d9 32').after(2), AREA + 0x800, 28)).toBe(FNSAVE.slice(0, 56));
  });
  test('FRSTOR brings back what FNSAVE stored', () => {
    const t = restored('dd 32', 'dd 22', '48 0f ae 02').after(4);
    expect(hexAt(t, AREA + 0x800, 6)).toBe('7f03255fb500');
    expect(hexAt(t, AREA + 0x820, 128)).toBe(hexAt(t, AREA + 32, 128));
  });
  test('FXSAVE64 gives back the image of FXRSTOR64, with MXCSR_MASK', () => {
    const t = restored('48 0f ae 02').after(2);
    expect(hexAt(t, AREA + 0x800, 28)).toBe(hexAt(t, AREA, 28));
    expect(t.read(AREA + 0x81c, 4)).toBe(0xffffn);
    expect(hexAt(t, AREA + 0x820, 384)).toBe(hexAt(t, AREA + 32, 384));
  });
  test('FLDCW keeps the bits that exist, as a real processor does', () => {
    const load = (word: bigint) => {
      const t = longMode({}, 'd9 2f', 'd9 3f').set({RDI: BigInt(AREA)});
      t.machine.memory.write(hpa(AREA), 2, word);
      return t.after(2).read(AREA, 2);
    };
    expect([0n, 0xffffn, 0x340n].map(load)).toEqual([0x40n, 0x1f7fn, 0x340n]);
  });
  test('an exception that FLDENV brings unmasked is #MF at the next waiting instruction, where CR0.NE is set', () => {
    const run = (cr0: bigint, next: string) => {
      const t = longMode({}, 'd9 27', next, 'f4').set({RDI: BigInt(AREA), CR0: 0x8001_0011n | cr0});
      t.quad(AREA, 0xffff_0025_ffff_0340n).quad(AREA + 8, 0xffff_ffffn);
      t.after(2);
      return [vectors(t).get('FSW'), ...t.exceptions];
    };
    expect(run(0x20n, '9b')).toEqual([0x80a5n, '16']);
    expect(run(0x20n, 'd9 d0')).toEqual([0x80a5n, '16']);
    expect(run(0n, '9b')).toEqual([0x80a5n]);
    expect(run(0x20n, 'db e2')).toEqual([0n]);
  });
  test('without a coprocessor x87 instructions do nothing, so that programs find out', () => {
    const old = protectedMode({profile: I386}, 'db e3', 'df e0', 'f4').set({RAX: 0n, CR0: 0x11n}).after(2);
    expect([old.exceptions, old.get('RAX')]).toEqual([[], 0xffffn]);
    expect(protectedMode({profile: I386}, 'db e3').set({CR0: 0x15n}).after(1).exceptions).toEqual(['7']);
  });
});

describe('FXSAVE, LDMXCSR and XSAVE', () => {
  test('areas must be aligned, and reserved bits of MXCSR are #GP(0)', () => {
    expect(sse('0f ae 47 08').after(1).exceptions).toEqual(['13:0']);
    expect(sse('0f ae 67 20').after(1).exceptions).toEqual(['13:0']);
    const t = sse('0f ae 17').quad(AREA, 0x1_0000n).after(1);
    expect([t.exceptions, t.why]).toEqual([['13:0'], 'reserved bits of MXCSR = 0']);
    expect(
      sse('0f ae 0f')
        .quad(AREA + 24, 0xffff_0000n)
        .after(1).exceptions,
    ).toEqual(['13:0']);
  });
  test('an area that runs into a page that is not there changes nothing', () => {
    const t = sse('0f ae 87 00 0f 00 00')
      .quad(PT + 8 * (AREA / 4096 + 1), 0n)
      .after(1);
    expect([t.exceptions, t.get('CR2')]).toEqual([['14:2'], BigInt(AREA + 4096)]);
    expect(hexAt(t, AREA + 0xf00, 256)).toBe('00'.repeat(256));
  });
  test('outside 64-bit mode XMM8 to XMM15 are left out', () => {
    const t = protectedMode({}, '0f ae 07').set({CR4: OSFXSR, RDI: BigInt(AREA)});
    vectors(t).set('XMM7', 7n);
    vectors(t).set('XMM8', 8n);
    t.after(1);
    expect([t.read(AREA + 160 + 16 * 7, 8), t.read(AREA + 160 + 16 * 8, 8)]).toEqual([7n, 0n]);
  });
  test('XSAVE says in XSTATE_BV what is in use, and XRSTOR clears what is not there', () => {
    const t = sse('db e3', '0f ae 27', '66 0f 76 c0', '0f ae 2f').set({RAX: 3n, RDX: 0n});
    t.after(2);
    expect(t.read(AREA + 512, 8) & 2n).toBe(0n);
    t.after(1);
    expect(vectors(t).get('XMM0')).not.toBe(0n);
    t.after(1);
    expect([vectors(t).get('XMM0'), t.exceptions]).toEqual([0n, []]);
  });
  test('XSAVEC compacts: bit 63 of XCOMP_BV, and XRSTOR takes it', () => {
    const t = sse('0f c7 27', '66 0f ef c9', '0f ae 2f').set({RAX: 3n, RDX: 0n});
    vectors(t).set('XMM1', 5n);
    t.after(1);
    expect(t.read(AREA + 520, 8)).toBe((1n << 63n) | 3n);
    t.after(2);
    expect([vectors(t).get('XMM1'), t.exceptions]).toEqual([5n, []]);
  });
  test('XRSTOR refuses a header with bits outside XCR0, and XSAVE needs CR4.OSXSAVE', () => {
    const t = sse('0f ae 2f')
      .set({RAX: 3n, RDX: 0n})
      .quad(AREA + 512, 4n)
      .after(1);
    expect([t.exceptions, t.why]).toEqual([['13:0'], 'XSTATE_BV has only bits of XCR0']);
    expect(sse('0f ae 27').set({CR4: 0x220n}).after(1).exceptions).toEqual(['6']);
  });
  test('RESET gives FCW 0040h and MXCSR 1F80h', () => {
    const t = new TestMachine();
    expect([vectors(t).get('FCW'), vectors(t).get('MXCSR')]).toEqual([0x40n, 0x1f80n]);
    expect(t.machine.banks.map(({name}) => name)).toContain('vector');
  });
});
