import {expect, test} from 'vitest';
import type {Bench} from './bench.js';
import {countWalks} from './walk-counts.js';

/** References of a cold walk for the guest's pages of 4 KiB, 2 MiB and 1 GiB. */
const references = (bench: Pick<Bench, 'technique' | 'nestedPage'>): readonly number[] =>
  countWalks({profile: undefined, costModel: undefined, ...bench}).map(({guest, nested}) => guest + nested);

test('native, a walk has a reference for each level of the tables', () => {
  expect(references({technique: 'bare'})).toEqual([4, 3, 2]);
});

test.each(['vtx-ept', 'svm-npt'] as const)('%s: 24 references for four levels of each; n·m + n + m', technique => {
  expect(references({technique})).toEqual([24, 19, 14]);
});

test.each(['vtx-ept', 'svm-npt'] as const)('%s: fewer with large nested pages', technique => {
  expect(references({technique, nestedPage: '2M'})).toEqual([19, 15, 11]);
});

test('the order of the 24: each entry of the guest after the four that find it, and four more for the byte', () => {
  const [small] = countWalks({technique: 'vtx-ept', profile: undefined, costModel: undefined});
  expect(small?.order.join(' ')).toBe('N4 N3 N2 N1 G4 N4 N3 N2 N1 G3 N4 N3 N2 N1 G2 N4 N3 N2 N1 G1 N4 N3 N2 N1');
  expect(small).toMatchObject({page: '4 KiB', guest: 4, nested: 20});
});

test('a processor without pages of 1 GiB has no walk of theirs', () => {
  const pages = countWalks({technique: 'bare', profile: 'prescott', costModel: undefined}).map(({page}) => page);
  expect(pages).toEqual(['4 KiB', '2 MiB']);
});
