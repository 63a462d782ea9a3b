// The rules of shadow paging, one by one.

import {expect, test} from 'vitest';
import {RAM, ShadowFixture} from './shadow-fixture.js';

const PAGE = 0x9_0000;
const AT = 0x40_0000n;

/** A guest in 64-bit mode with one page mapped. */
function longMode(entry = 7n): {t: ShadowFixture; pte: number} {
  const t = new ShadowFixture();
  return {t, pte: t.mapLong(AT, BigInt(PAGE) | entry)};
}

test('the first access to a page that the guest maps is a hidden fault; the second finds it in the shadow', () => {
  const {t} = longMode();
  expect(t.load(AT + 0x123n)).toEqual({outcome: 'done', faults: 1, errorCode: undefined, address: RAM + PAGE + 0x123});
  expect(t.load(AT).faults).toBe(0);
  expect(t.mmu.statistics()).toMatchObject({hiddenFaults: 1, trueFaults: 0});
});

test('a page that the guest does not map is a true fault with the guest’s error code', () => {
  const {t} = longMode(0n);
  expect(t.store(AT, 'user')).toMatchObject({outcome: 'true', errorCode: 6});
});
