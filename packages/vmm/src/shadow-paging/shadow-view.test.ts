// The guest's tables beside the shadow: what is different, and why.

import {expect, test} from 'vitest';
import {hpa} from '@hyperscope/base';
import {CR0, CR0_WP, FEATURES, RAM, ROM, ShadowFixture} from './shadow-fixture.js';
import {ShadowView} from './shadow-view.js';
import type {ShadowComparison} from './shadow-view.js';

const PAGE = 0x9_0000;
const AT = 0x40_0000n;
const OTHER = 0x60_0000n;
const CLEAN = 0x27n,
  DIRTY = 0x67n;

function viewOf(t: ShadowFixture): ShadowView {
  return new ShadowView(t.pool, (at, bytes) => t.read(at, bytes));
}
function compare(t: ShadowFixture, linear: bigint): ShadowComparison | undefined {
  return viewOf(t).compare(linear, 'kernel', {
    paging: t.paging,
    features: FEATURES,
    backing: at => {
      if (at >= ROM && at < ROM + 0x2000) return {kind: 'read-only', host: hpa(0x60_0000 + at - ROM)};
      return at < 0x10_0000 ? {kind: 'ram', host: hpa(RAM + at)} : {kind: 'device'};
    },
  });
}
function mapped(entry: bigint): {t: ShadowFixture; pte: number} {
  const t = new ShadowFixture();
  return {t, pte: t.mapLong(AT, entry)};
}

test('without a root there is nothing to compare; with one, a page that was not used yet is a hidden fault to come', () => {
  const {t} = mapped(BigInt(PAGE) | CLEAN);
  expect(compare(t, AT)).toBeUndefined();
  t.mmu.root('kernel');
  const found = compare(t, AT);
  expect(found).toMatchObject({relation: 'missing', guestPhysical: PAGE, hostPhysical: undefined});
  expect(found?.guest.map(({level}) => level)).toEqual([4, 3, 2, 1]);
  expect(found?.shadow.map(({level, entry}) => [level, entry])).toEqual([[4, 0n]]);
});

test('after the fault both lead to the same page, each in its own address space', () => {
  const {t} = mapped(BigInt(PAGE) | DIRTY);
  t.load(AT);
  expect(compare(t, AT + 5n)).toMatchObject({relation: 'same', guestPhysical: PAGE + 5, hostPhysical: RAM + PAGE + 5});
});

test.each([
  ['clean', BigInt(PAGE) | CLEAN, 'the page is clean: the first write has to set Dirty'],
  ['page-table', 0x1000n | DIRTY, 'the page holds a page table of the guest'],
  ['read-only', BigInt(ROM) | DIRTY, 'because the memory slot is'],
] as const)(
  'a shadow entry that is read-only where the guest’s is writable has a reason: %s',
  (relation, entry, why) => {
    const {t} = mapped(entry);
    t.load(AT);
    expect(compare(t, AT)).toMatchObject({relation, why: [expect.stringContaining(why)]});
  },
);

test('a device, an address that nobody maps, the kernel’s variant', () => {
  const {t} = mapped(0xb000_0000n | DIRTY);
  t.load(AT);
  expect(compare(t, AT)?.relation).toBe('device');
  expect(compare(t, OTHER)?.relation).toBe('unmapped');
  const other = mapped(BigInt(PAGE) | DIRTY | 0x40n);
  other.t.poke(other.pte, 8, BigInt(PAGE) | 0x65n);
  other.t.setMode({cr0: CR0 & ~CR0_WP});
  other.t.store(AT);
  expect(compare(other.t, AT)?.relation).toBe('kernel-variant');
});

test('an unsync table may be stale, and is called so', () => {
  const {t, pte} = mapped(BigInt(PAGE) | DIRTY);
  t.mapLong(OTHER, BigInt(pte & ~0xfff) | DIRTY);
  t.load(AT);
  t.store(OTHER);
  expect(compare(t, AT)?.why[1]).toMatch(/^the shadow table is unsync/);
  t.poke(pte, 8, BigInt(PAGE + 0x1000) | DIRTY);
  expect(compare(t, AT)).toMatchObject({relation: 'stale', guestPhysical: PAGE + 0x1000, hostPhysical: RAM + PAGE});
  t.loadCr3(t.paging.cr3);
  t.load(AT);
  expect(compare(t, AT)?.relation).toBe('same');
});

test('counts and pages are read from the same memory', () => {
  const {t} = mapped(BigInt(PAGE) | DIRTY);
  t.load(AT);
  expect(viewOf(t).statistics()).toEqual(t.mmu.statistics());
  expect(viewOf(t).pages.used).toBe(4);
  expect(viewOf(t).root('kernel')).toBe(t.mmu.root('kernel'));
});

test('each address space has a root of its own, and shares the shadows of the tables that it shares', () => {
  const {t} = mapped(BigInt(PAGE) | DIRTY);
  const first = t.paging.cr3;
  t.load(AT);
  expect(viewOf(t).roots()).toEqual([{guestRoot: Number(first), pages: 4, own: 4}]);
  const second = 0x8_0000;
  t.poke(second, 8, t.peek(Number(first)));
  t.loadCr3(BigInt(second));
  t.load(AT);
  expect(viewOf(t).roots()).toEqual([
    {guestRoot: Number(first), pages: 4, own: 1},
    {guestRoot: second, pages: 4, own: 1},
  ]);
  t.loadCr3(first);
  expect(viewOf(t).roots()).toHaveLength(2);
});
