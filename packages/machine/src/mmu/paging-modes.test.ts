// What the paging modes have of their own: PDPTE registers, PCIDs, PSE-36; and A20, which tables obey as well.

import {describe, expect, test} from 'vitest';
import {PD, PDPT, PML4, longMode, protectedMode, pteAt} from '../machine-fixture.js';
import type {TestMachine} from '../machine-fixture.js';
import type {ProcessorProfile} from '../cpu/core.js';
import {withFeature} from '../cpu/features.js';
import {MODERN_INTEL} from '../cpu/profiles.js';
import {AMD_SVM} from '../cpu/profiles-amd.js';

const HLT = 'f4';
const PAGE = 0x10_0000;
const LOAD = 'a1 00 00 10 00'; // mov eax, [100000h]
const MOV_CR3 = '0f 22 db'; // mov cr3, ebx
const CR4_PSE = 0x10n,
  CR4_PAE = 0x20n,
  CR4_PCIDE = 0x2_0000n;

/** PAE paging with 2 MiB pages: the first maps itself, the PDPTEs are in their registers by MOV to CR3. */
function pae(profile: ProcessorProfile, ...code: readonly string[]): TestMachine {
  const t = protectedMode({profile}, MOV_CR3, ...code).set({CR4: CR4_PAE, RBX: BigInt(PDPT)});
  t.quad(PDPT, BigInt(PD) | 1n);
  // Walks begin after MOV CR3: until then the registers of the profile's processor say what they will.
  t.set({PDPTE0: BigInt(PD) | 1n, CR3: BigInt(PDPT), CR0: 0x8000_0011n});
  return t.quad(PD, 0x83n).quad(PAGE, 9n);
}

describe('PAE paging', () => {
  test('maps 2 MiB pages', () => {
    const t = pae(MODERN_INTEL, LOAD, HLT);
    t.run();
    expect([t.get('RAX'), t.get('PDPTE0'), t.exceptions]).toEqual([9n, BigInt(PD) | 1n, []]);
  });
  test('on Intel a changed PDPTE counts from the next load of CR3, on AMD from the next walk', () => {
    for (const [profile, expected] of [
      [MODERN_INTEL, []],
      [AMD_SVM, ['14:0']],
    ] as const) {
      const t = pae(profile, MOV_CR3, LOAD, HLT).set({RBX: BigInt(PDPT)});
      t.steps(2);
      t.quad(PDPT, 0n);
      t.machine.tlb.flushAll();
      t.steps(1);
      expect(t.exceptions.slice(0, 1)).toEqual(expected);
    }
  });
  test.each([1, 5, 8])('bit %i of a present PDPTE is reserved: MOV to CR3 gives #GP(0) and changes nothing', bit => {
    const t = pae(MODERN_INTEL, HLT);
    t.quad(PDPT + 8, 1n | (1n << BigInt(bit)));
    t.steps(1);
    expect(t.exceptions).toEqual(['13:0']);
    expect(t.get('PDPTE1')).toBe(0n);
  });
  test('turning PAE on while paging loads the PDPTEs', () => {
    const t = protectedMode({}, '0f 22 e3', LOAD, HLT); // mov cr4, ebx
    t.quad(PML4, 0x83n).quad(PML4 + 8, 0n);
    t.quad(PD, 0x83n).quad(PAGE, 9n);
    t.set({CR3: BigInt(PML4), CR4: CR4_PSE, CR0: 0x8000_0011n, RBX: CR4_PAE});
    t.quad(PML4, 0x83n);
    t.steps(1);
    // The 4 MiB entry, read as a PDPTE, has reserved bits.
    expect([t.exceptions, t.get('CR4')]).toEqual([['13:0'], CR4_PSE]);
  });
});

describe('PCIDs', () => {
  const READ = '48 8b 04 25 00 00 10 00'; // mov rax, [100000h]
  const KEEP = 1n << 63n;
  /** Reads the page in address space 1, changes the entry behind the TLB's back, loads CR3 as asked, and reads again. */
  function after(...loads: readonly bigint[]): bigint {
    const code = loads.flatMap(() => [MOV_CR3, READ]);
    const t = longMode({}, READ, ...code, HLT).set({CR4: CR4_PAE | CR4_PCIDE, CR3: BigInt(PML4)});
    t.machine.tlb.enterSpace(1, 'forgotten');
    t.set({CR3: BigInt(PML4) | 1n});
    t.quad(PAGE, 1n).quad(PAGE + 0x1000, 2n);
    t.steps(1);
    t.quad(pteAt(PAGE), BigInt(PAGE + 0x1000) | 7n);
    for (const load of loads) {
      t.set({RBX: BigInt(PML4) | load});
      t.steps(2);
    }
    expect(t.exceptions).toEqual([]);
    return t.get('RAX');
  }
  test('another address space does not see the translation', () => expect(after(KEEP | 2n)).toBe(2n));
  test('back in the first one it is still there, where bit 63 of CR3 says so', () => {
    expect(after(KEEP | 2n, KEEP | 1n)).toBe(1n);
    expect(after(KEEP | 2n, 1n)).toBe(2n);
  });
  test('forgetting one address space leaves the others', () => {
    expect(after(2n, KEEP | 1n)).toBe(1n);
    expect(after(KEEP | 2n, 2n, KEEP | 1n)).toBe(1n);
  });

  /** The same, with INVPCID of a type and a descriptor while another address space is current. */
  function invalidated(type: bigint, pcid: bigint, address = 0n, global = 0n): bigint {
    const t = longMode({}, READ, MOV_CR3, '66 0f 38 82 0e', MOV_CR3, READ, HLT); // invpcid rcx, [rsi]
    t.set({CR4: CR4_PAE | CR4_PCIDE | 0x80n, CR3: BigInt(PML4)});
    t.machine.tlb.enterSpace(1, 'forgotten');
    t.set({CR3: BigInt(PML4) | 1n, RCX: type, RSI: 0x9_0000n});
    t.quad(0x9_0000, pcid).quad(0x9_0008, address);
    t.quad(pteAt(PAGE), BigInt(PAGE) | 7n | global);
    t.quad(PAGE, 1n).quad(PAGE + 0x1000, 2n);
    t.steps(1);
    t.quad(pteAt(PAGE), BigInt(PAGE + 0x1000) | 7n | global);
    t.set({RBX: BigInt(PML4) | 2n | KEEP}).steps(2);
    t.set({RBX: BigInt(PML4) | 1n | KEEP}).steps(2);
    expect(t.exceptions).toEqual([]);
    return t.get('RAX');
  }
  const GLOBAL = 0x100n;
  test.each([
    ['type 0 forgets its address', 0n, 1n, BigInt(PAGE), 0n, 2n],
    ['type 0 leaves other addresses', 0n, 1n, BigInt(PAGE + 0x1000), 0n, 1n],
    ['type 0 leaves other address spaces', 0n, 2n, BigInt(PAGE), 0n, 1n],
    ['type 1 forgets its address space', 1n, 1n, 0n, 0n, 2n],
    ['type 1 leaves other address spaces', 1n, 2n, 0n, 0n, 1n],
    ['type 1 leaves global pages', 1n, 1n, 0n, GLOBAL, 1n],
    ['type 2 forgets everything', 2n, 0n, 0n, GLOBAL, 2n],
    ['type 3 leaves global pages', 3n, 0n, 0n, GLOBAL, 1n],
    ['type 3 forgets the rest', 3n, 0n, 0n, 0n, 2n],
  ])('INVPCID %s', (_, type, pcid, address, global, expected) =>
    expect(invalidated(type, pcid, address, global)).toBe(expected),
  );
});

test('PSE-36 gives a 4 MiB page address bits 39:32; without it they are reserved', () => {
  const run = (profile: ProcessorProfile): readonly string[] => {
    const t = protectedMode({profile}, 'a1 00 00 40 00', HLT).set({CR3: BigInt(PML4), CR4: CR4_PSE, CR0: 0x8000_0011n});
    // The second entry maps the first megabytes beyond 4 GiB, where nothing answers.
    t.quad(PML4, 0x83n | (0x2083n << 32n));
    t.run();
    return [...t.exceptions, t.get('RAX').toString(16)];
  };
  expect(run(MODERN_INTEL)).toEqual(['ffffffff']);
  expect(run(withFeature(MODERN_INTEL, 'pse36', 'off'))[0]).toBe('14:9');
});

test('while A20 is held low, page tables are read without bit 20 as well', () => {
  const t = longMode({}, '48 8b 04 25 00 00 08 00', HLT); // mov rax, [80000h]
  t.machine.memory.addressLine20 = {isA20Enabled: false};
  t.quad(0x8_0000, 5n).set({CR3: BigInt(PML4 + 0x10_0000)});
  t.run();
  expect([t.get('RAX'), t.exceptions]).toEqual([5n, []]);
});
