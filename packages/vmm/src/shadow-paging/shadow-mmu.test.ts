// The rules of shadow paging, one by one.

import {expect, test} from 'vitest';
import {hpa} from '@hyperscope/base';
import {CR0, CR0_WP, CR4, RAM, ROM, ShadowFixture} from './shadow-fixture.js';
import type {FixtureOptions} from './shadow-fixture.js';
import {createShadowMmu} from './shadow-mmu.js';

const PAGE = 0x9_0000;
const AT = 0x40_0000n;
const OTHER = 0x60_0000n;
const A = 0x20n,
  D = 0x40n,
  XD = 1n << 63n;

interface LongMode {
  readonly t: ShadowFixture;
  /** Where the guest's PTE lies. */
  readonly pte: number;
}

/** A guest in 64-bit mode with one page mapped at AT. */
function longMode(entry = 7n, options: FixtureOptions = {}): LongMode {
  const t = new ShadowFixture(options);
  return {t, pte: t.mapLong(AT, BigInt(PAGE) | entry)};
}
/** The guest's page table that holds an entry, mapped at OTHER for its kernel. */
function withTableMapped(entry = 7n | A | D): LongMode {
  const made = longMode(entry);
  made.t.mapLong(OTHER, BigInt(made.pte & ~0xfff) | 3n | A | D);
  return made;
}
const DONE = {outcome: 'done', faults: 1, errorCode: undefined} as const;

test('the first access to a page that the guest maps is a hidden fault; the second finds it in the shadow', () => {
  const {t} = longMode();
  expect(t.load(AT + 0x123n)).toEqual({...DONE, address: RAM + PAGE + 0x123});
  expect(t.load(AT).faults).toBe(0);
  expect(t.mmu.statistics()).toMatchObject({hiddenFaults: 1, trueFaults: 0});
});

test.each([
  ['not present, written by a user', 0n, 'write', 'user', {}, 6],
  ['a supervisor page, read by a user', 3n, 'read', 'user', {}, 5],
  ['read-only, written by a user', 5n, 'write', 'user', {}, 7],
  ['read-only, written by the kernel with CR0.WP', 1n, 'write', 'supervisor', {}, 3],
  ['XD, executed', 7n | XD, 'fetch', 'supervisor', {}, 0x11],
  ['XD without EFER.NXE is a reserved bit', 7n | XD, 'read', 'supervisor', {efer: 0x501n}, 9],
  ['a user page, executed by the kernel with SMEP', 7n, 'fetch', 'supervisor', {cr4: CR4.PAE | CR4.SMEP}, 0x11],
  ['a user page, read by the kernel with SMAP', 7n, 'read', 'supervisor', {cr4: CR4.PAE | CR4.SMAP}, 1],
] as const)('a true fault has the guest’s error code: %s', (_, entry, kind, privilege, mode, errorCode) => {
  const {t} = longMode(entry);
  t.setMode(mode);
  expect(t.access({linear: AT, kind, privilege, ac: false})).toMatchObject({outcome: 'true', errorCode});
  expect(t.told('true-fault')[0]?.why).toMatch(
    /^the guest’s own tables refuse: “.+” does not hold; the last entry read/,
  );
  expect(t.told('hidden-fault')).toEqual([]);
});

test('Accessed is set at every level when the shadow is filled, Dirty only by the first write', () => {
  const {t, pte} = longMode();
  t.load(AT);
  expect([0x1000, 0x2000, 0x3000].map(at => t.peek(at + (at === 0x3000 ? 16 : 0)) & (A | D))).toEqual([A, A, A]);
  expect(t.peek(pte) & (A | D)).toBe(A);
  expect(t.store(AT)).toMatchObject(DONE);
  expect(t.peek(pte) & (A | D)).toBe(A | D);
  expect(t.told('set-dirty')).toHaveLength(1);
});

test('a writable page that is clean is mapped read-only, and says why', () => {
  const {t} = longMode();
  t.load(AT);
  const [map] = t.told('map');
  expect(map?.why).toMatch(/read-only until the first write, which has to set Dirty$/);
  expect((map?.entry?.to ?? 0n) & 3n).toBe(1n);
});

test('a page that was mapped writable before it became a page table is write-protected', () => {
  const {t, pte} = withTableMapped();
  expect(t.store(OTHER)).toMatchObject(DONE);
  t.load(AT);
  expect(t.told('write-protect').map(event => event.gpa)).toEqual([pte & ~0xfff]);
  expect(t.store(OTHER)).toMatchObject(DONE);
  expect(t.told('unsync')).toHaveLength(1);
});

test('a table of level 1 goes unsync when it is written, and is synchronized at the next MOV to CR3', () => {
  const {t, pte} = withTableMapped();
  t.load(AT);
  t.store(OTHER);
  t.poke(pte, 8, BigInt(PAGE + 0x1000) | 7n | A | D);
  expect(t.load(AT).address, 'as a TLB would have it').toBe(RAM + PAGE);
  t.loadCr3(t.paging.cr3);
  expect(t.load(AT)).toMatchObject({faults: 1, address: RAM + PAGE + 0x1000});
  expect(t.told('sync')[0]?.why).toMatch(/^MOV to CR3 flushes the TLB: .* is synchronized, 1 entry had changed$/);
  expect(t.store(OTHER).faults, 'it is protected again').toBe(1);
});

test('trapped leaf tables: a write is carried out in software, and its entry follows at once', () => {
  const t = new ShadowFixture({leafTables: 'trapped'});
  const pte = t.mapLong(AT, BigInt(PAGE) | 7n | A | D);
  t.mapLong(OTHER, BigInt(pte & ~0xfff) | 3n | A | D);
  t.load(AT);
  expect(t.store(OTHER)).toMatchObject({outcome: 'page-table-write'});
  t.emulatedStore(pte, 8, BigInt(PAGE + 0x1000) | 7n | A | D);
  expect(t.load(AT)).toMatchObject({faults: 1, address: RAM + PAGE + 0x1000});
  expect(t.told('unsync')).toEqual([]);
});

test('INVLPG drops the entry and makes it again from the guest’s table', () => {
  const {t, pte} = withTableMapped();
  t.load(AT);
  t.store(OTHER);
  t.poke(pte, 8, BigInt(PAGE + 0x1000) | 7n | A | D);
  t.mmu.guestInvalidated(AT);
  expect(t.load(AT)).toMatchObject({faults: 0, address: RAM + PAGE + 0x1000});
});

test('a cleared Accessed bit is set again after a flush; a cleared Dirty bit at the next write', () => {
  const {t, pte} = withTableMapped();
  t.store(AT);
  t.store(OTHER);
  t.poke(pte, 8, BigInt(PAGE) | 7n);
  t.loadCr3(t.paging.cr3);
  expect(t.load(AT).faults).toBe(1);
  expect(t.peek(pte) & (A | D)).toBe(A);
  t.store(AT);
  expect(t.peek(pte) & (A | D)).toBe(A | D);
});

test('an unsync table that is reached by a new way is synchronized first: no TLB can know that way', () => {
  const {t, pte} = withTableMapped();
  t.load(AT);
  t.store(OTHER);
  t.poke(pte, 8, BigInt(PAGE + 0x1000) | 7n | A | D);
  // Entry 8 of the page directory comes to lead to the same page table. An access to another of its pages builds the way.
  t.poke(pte + 8, 8, BigInt(PAGE + 0x2000) | 7n | A | D);
  const directory = Number(t.peek(Number(t.peek(0x1000) & 0xf_f000n)) & 0xf_f000n);
  t.emulatedStore(directory + 8 * 8, 8, BigInt(pte & ~0xfff) | 7n);
  t.load(0x100_1000n);
  expect(t.load(0x100_0000n).address).toBe(RAM + PAGE + 0x1000);
});

test('a write to a table of a higher level is carried out in software, and its entry follows at once', () => {
  const {t} = longMode();
  const slot = 0x1000;
  t.mapLong(OTHER, 0x1000n | 3n | A | D);
  t.load(AT);
  expect(t.store(OTHER)).toMatchObject({outcome: 'page-table-write'});
  t.emulatedStore(slot, 8, 0n);
  expect(t.load(AT)).toMatchObject({outcome: 'true', errorCode: 0});
  expect(t.mmu.statistics().pageTableWrites).toBe(1);
});

test('a page that is written three times without use is taken for no page table any more', () => {
  const {t} = longMode();
  t.mapLong(OTHER, 0x1000n | 3n | A | D);
  t.load(AT);
  for (let i = 0; i < 3; i++) t.emulatedStore(0x1000 + 0x800, 8, 0n);
  expect(t.told('flood')).toHaveLength(1);
  t.loadCr3(0x5_0000n);
  expect(t.mmu.statistics().floods).toBe(1);
});

test('the use of a table between two writes starts the count of writes anew', () => {
  const {t} = longMode();
  t.load(AT);
  for (let i = 0; i < 6; i++) {
    t.emulatedStore(0x1000 + 0x800, 8, 0n);
    t.mapLong(OTHER + BigInt(i) * 0x1000n, BigInt(PAGE) | 7n);
    t.load(OTHER + BigInt(i) * 0x1000n);
  }
  expect(t.told('flood')).toEqual([]);
});

test('CR0.WP = 0 on a processor with WP = 1: two variants of the entry, flipped by faults', () => {
  const {t} = longMode(5n | A | D);
  t.setMode({cr0: CR0 & ~CR0_WP});
  expect(t.load(AT, 'user').faults).toBe(1);
  expect(t.store(AT), 'the kernel may write').toMatchObject(DONE);
  expect(t.load(AT, 'user').faults, 'the user’s variant is gone').toBe(1);
  expect(t.store(AT, 'user')).toMatchObject({outcome: 'true', errorCode: 7});
  expect(t.store(AT).faults, 'and comes back').toBe(1);
});

test('CR0.WP = 0 with SMAP: the write is carried out in software', () => {
  const {t} = longMode(5n | A | D);
  t.setMode({cr0: CR0 & ~CR0_WP, cr4: CR4.PAE | CR4.SMAP});
  expect(t.access({linear: AT, kind: 'write', privilege: 'supervisor', ac: true})).toMatchObject({outcome: 'device'});
});

test('roots are kept by role: CR3 back and forth costs no fault, and says so', () => {
  const {t} = longMode(7n | A | D | 0x100n);
  t.load(AT);
  const first = t.mmu.root('kernel');
  t.loadCr3(0x7_0000n);
  expect(t.mmu.root('kernel')).not.toBe(first);
  t.loadCr3(0x1000n);
  expect(t.mmu.root('kernel')).toBe(first);
  expect(t.load(AT).faults).toBe(0);
  expect(t.told('reuse-root')[0]?.why).toMatch(/its shadow root is still there/);
  t.setMode({cr0: CR0 & ~CR0_WP});
  expect(t.mmu.root('kernel'), 'another role').not.toBe(first);
});

test('no shadow entry is global, so that the processor forgets all of them with CR3', () => {
  const {t} = longMode(7n | A | D | 0x100n);
  t.load(AT);
  expect((t.told('map')[0]?.entry?.to ?? 0n) & 0x100n).toBe(0n);
});

test('a large guest page becomes direct tables of 4 KiB entries', () => {
  const t = new ShadowFixture();
  t.poke(0x1000, 8, 0x2007n);
  t.poke(0x2000, 8, 0x87n | D);
  expect(t.load(0x8_4000n)).toMatchObject({...DONE, address: RAM + 0x8_4000});
  expect(t.load(0x8_5000n)).toMatchObject({...DONE, address: RAM + 0x8_5000});
  expect(t.told('new-table').filter(event => event.why.includes('direct'))).toHaveLength(2);
});

test('paging off: guest-virtual is guest-physical, above what the guest’s CR3 says', () => {
  const t = new ShadowFixture({hardware: {format: 'PAE'}});
  t.setMode({cr0: 1n, cr4: 0n, efer: 0n});
  expect(t.store(BigInt(PAGE) + 5n)).toEqual({...DONE, address: RAM + PAGE + 5});
});

test('32-bit tables under PAE hardware: each half of a page table has its quadrant', () => {
  const t = new ShadowFixture({hardware: {format: 'PAE'}});
  t.poke(0x1000, 4, 0x2007n);
  t.poke(0x2000, 4, BigInt(PAGE) | 7n);
  t.poke(0x2000 + 4 * 0x200, 4, BigInt(PAGE + 0x1000) | 7n);
  t.setMode({cr4: CR4.PSE, efer: 0n});
  expect(t.load(0n).address).toBe(RAM + PAGE);
  expect(t.load(0x20_0000n).address).toBe(RAM + PAGE + 0x1000);
  expect(
    t
      .told('new-table')
      .filter(event => event.why.includes('level 1'))
      .map(event => /quadrant \d/.exec(event.why)?.[0]),
  ).toEqual(['quadrant 0', 'quadrant 1']);
});

test('a device is never mapped; a ROM may be read', () => {
  const {t} = longMode();
  t.mapLong(OTHER, 0xb_8000n + 0x1000_0000n + 7n);
  t.mapLong(OTHER + 0x1000n, BigInt(ROM) | 7n);
  expect(t.load(OTHER)).toMatchObject({outcome: 'device', faults: 1});
  expect(t.load(OTHER), 'each time anew').toMatchObject({outcome: 'device', faults: 1});
  expect(t.load(OTHER + 0x1000n)).toMatchObject(DONE);
  expect(t.store(OTHER + 0x1000n)).toMatchObject({outcome: 'device'});
  expect(t.mmu.statistics().deviceFaults).toBe(3);
});

test('guest kernel and guest user in ring 3: two roots, and the user’s has no kernel page', () => {
  const {t} = longMode(3n | A | D, {hardware: {views: 2}});
  expect(t.store(AT)).toMatchObject(DONE);
  expect(t.mmu.root('user')).not.toBe(t.mmu.root('kernel'));
  expect(t.load(AT, 'user')).toMatchObject({outcome: 'true', errorCode: 5});
  expect(t.store(AT).faults, 'the kernel’s view is as it was').toBe(0);
});

test('an empty pool: everything is given back, and the guest goes on', () => {
  const {t} = longMode(7n, {poolPages: 25});
  for (let i = 0; i < 12; i++) {
    t.loadCr3(BigInt(0xa_0000 + 0x1000 * i));
    t.mapLong(AT, BigInt(PAGE) | 7n);
    expect(t.load(AT)).toMatchObject(DONE);
  }
  expect(t.mmu.statistics().poolExhaustions).toBeGreaterThan(0);
  expect(t.told('pool-empty')[0]?.why).toMatch(/^of \d+ shadow pages \d are left/);
});

test('a pool in which not even one way to a page has room: nothing can be done', () => {
  const {t} = longMode(7n, {poolPages: 17});
  expect(t.load(AT)).toMatchObject({outcome: 'no-memory'});
});

test('all that the shadow MMU knows lies in host memory: another one over the same memory goes on', () => {
  const {t} = longMode(7n | A | D);
  t.load(AT);
  const again = createShadowMmu({
    host: {
      paging: () => t.paging,
      backing: at => ({kind: 'ram', host: hpa(RAM + at)}),
      read: (at, bytes) => t.read(at, bytes),
      write: (at, bytes, value) => t.write(at, bytes, value),
      flushTlb: () => undefined,
      tell: () => undefined,
    },
    hardware: () => t.hardware,
    features: {physicalAddressBits: 40, gigabytePages: true, pse36: true},
    pool: t.pool,
  });
  expect(again.root('kernel')).toBe(t.mmu.root('kernel'));
  expect(again.statistics()).toEqual(t.mmu.statistics());
});
