import {expect, test} from 'vitest';
import {NO_PCID, TLB_GLOBAL, Tlb} from './tlb.js';
import type {TlbEntry} from './tlb.js';

const entry = (linearPage: number, flags = 0, pageBits = 12): TlbEntry => ({
  linearPage,
  physicalPage: linearPage + 1000,
  flags,
  pageBits,
});
const has = (tlb: Tlb, page: number): boolean => tlb.find(page) >= 0;

test('what is inserted is found, also at the top of the address space', () => {
  const tlb = new Tlb();
  const top = 2 ** 52 - 1;
  tlb.insert(entry(top));
  expect(tlb.physicalPage(tlb.find(top))).toBe(top + 1000);
  expect(has(tlb, 0)).toBe(false);
});

test('a set has four ways: the fifth page of a set pushes the first one out', () => {
  const tlb = new Tlb();
  for (let i = 0; i < 5; i++) tlb.insert(entry(i * 64));
  expect([0, 1, 2, 3, 4].map(i => has(tlb, i * 64))).toEqual([false, true, true, true, true]);
});

test('inserting a page again replaces it in its place', () => {
  const tlb = new Tlb();
  tlb.insert(entry(5));
  tlb.insert({...entry(5), physicalPage: 7});
  expect(tlb.entries()).toEqual([{...entry(5), physicalPage: 7}]);
});

test('global entries survive flushNonGlobal and not flushAll', () => {
  const tlb = new Tlb();
  tlb.insert(entry(1));
  tlb.insert(entry(2, TLB_GLOBAL));
  tlb.flushNonGlobal();
  expect([has(tlb, 1), has(tlb, 2)]).toEqual([false, true]);
  tlb.insert(entry(1));
  tlb.flushAll();
  expect(tlb.entries()).toEqual([]);
});

test('flushPage forgets one small page, and all parts of a large one', () => {
  const tlb = new Tlb();
  for (const page of [512, 513, 1023]) tlb.insert(entry(page, 0, 21));
  tlb.insert(entry(1024));
  tlb.insert(entry(1025));
  tlb.flushPage(600n * 4096n);
  tlb.flushPage(1024n * 4096n);
  expect(tlb.entries().map(({linearPage}) => linearPage)).toEqual([1025]);
});

test('restoring the bytes of the bank restores the TLB', () => {
  const tlb = new Tlb();
  tlb.insert(entry(9));
  const before = tlb.bank.bytes.slice();
  tlb.flushAll();
  tlb.bank.bytes.set(before);
  expect(has(tlb, 9)).toBe(true);
});

test('every change is announced before it happens, within the bank', () => {
  const tlb = new Tlb();
  const before = tlb.bank.bytes.slice();
  const announced = new Set<number>();
  tlb.observer = {
    event: () => undefined,
    willWrite: (_, offset, length) => {
      for (let i = 0; i < length; i++) announced.add(offset + i);
    },
  };
  tlb.insert(entry(3));
  tlb.flushNonGlobal();
  tlb.insert(entry(67, TLB_GLOBAL));
  tlb.flushPage(67n * 4096n);
  tlb.enterContext({identifier: 3, root: 7}, NO_PCID);
  tlb.insert(entry(4));
  tlb.enterSpace(5, 'kept');
  tlb.enterContext({identifier: 0, root: undefined}, 9);
  tlb.flushRoot(7);
  tlb.flushPageOfIdentifier(3, 4n * 4096n);
  tlb.flushEverything();
  const changed = [...tlb.bank.bytes.keys()].filter(at => tlb.bank.bytes[at] !== before[at]);
  expect(changed.filter(at => !announced.has(at))).toEqual([]);
  expect(changed.length).toBeGreaterThan(0);
});

test('each context has its own entries, global ones and address spaces', () => {
  const tlb = new Tlb();
  const host = {identifier: 0, root: undefined};
  const guest = {identifier: 1, root: 0};
  tlb.insert(entry(1, TLB_GLOBAL));
  tlb.enterSpace(5, 'kept');
  tlb.insert(entry(2));
  tlb.enterContext(guest, 5);
  expect([has(tlb, 1), has(tlb, 2)]).toEqual([false, false]);
  tlb.insert(entry(1));
  tlb.flushAll();
  tlb.enterContext(host, 5);
  expect([has(tlb, 1), has(tlb, 2)]).toEqual([true, true]);
  tlb.enterContext(host, 6);
  expect([has(tlb, 1), has(tlb, 2)]).toEqual([true, false]);
});

test('a context that was given up and comes back knows nothing of its past', () => {
  const tlb = new Tlb();
  tlb.enterContext({identifier: 1, root: undefined}, 3);
  tlb.insert(entry(8));
  for (let identifier = 2; identifier <= 8; identifier++) tlb.enterContext({identifier, root: undefined}, 3);
  tlb.enterContext({identifier: 1, root: undefined}, 3);
  expect(tlb.entries()).toEqual([]);
});
