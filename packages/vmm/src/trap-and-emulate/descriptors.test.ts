// Segment truncation keeps its promise: through no compressed segment can an address of the VMM's window be formed.

import {describe, expect, test} from 'vitest';
import {compressed, descriptorOf, isInsideWindow, segmentFrom} from './descriptors.js';
import {realRing} from './rings.js';
import {VMM_LINEAR} from './vmm-layout.js';

const DATA = 0x93;
const BIG = 0x4000;
const PAGES = 0x8000;
const EXPAND_DOWN = 4;
const WINDOW = Number(VMM_LINEAR);
const BASES = [0, 0x1000, 0x1234, 0x8000_0000, WINDOW - 1, WINDOW, WINDOW + 0x1000, 0xffff_f000, 0xffff_ffff];
const LIMITS = [
  ...[0, 0xffff, 0xf_ffff].map(limit => ({limit, rights: DATA | BIG})),
  ...[0xfff, 0xffff_ffff, 0x7fff_ffff, 0xffdf_ffff, 0xffe0_0fff].map(limit => ({limit, rights: DATA | BIG | PAGES})),
];

/** The last linear address that a segment with this descriptor reaches, unwrapped; −1 for one without a byte. */
function lastAddress(raw: bigint): number {
  const {base, limit, attributes} = segmentFrom(raw, 8);
  const expandsDown = (attributes & 8) === 0 && (attributes & EXPAND_DOWN) !== 0;
  if (expandsDown) return limit === 0xffff_ffff ? -1 : Number(base) + 0xffff_ffff;
  return Number(base) + limit;
}

describe('a compressed segment', () => {
  test.each(BASES.flatMap(base => LIMITS.map(each => ({base, ...each}))))(
    'with base $base, limit $limit and rights $rights ends below the window',
    ({base, limit, rights}) => {
      const values = {selector: 8, base: BigInt(base), limit, attributes: rights};
      const got = compressed(values, 1, 'below the window');
      expect(lastAddress(descriptorOf(got))).toBeLessThan(WINDOW);
      expect((got.attributes >> 5) & 3).toBe(1);
      expect(isInsideWindow(values)).toBe(lastAddress(descriptorOf(got)) === -1);
      if (base + limit < WINDOW) expect(got).toMatchObject({base: values.base, limit});
    },
  );

  test('survives the way through its eight bytes', () => {
    for (const {limit, rights} of LIMITS) {
      const values = {selector: 8, base: 0x1234_5678n, limit, attributes: rights};
      const pushed = compressed(values, 3, 'everywhere');
      expect(segmentFrom(descriptorOf(pushed), 8)).toEqual(pushed);
      expect(pushed.limit).toBe(limit);
    }
  });

  test('that expands downwards would reach to the top: nothing is left of it', () => {
    const values = {selector: 8, base: 0n, limit: 0xfff, attributes: DATA | BIG | EXPAND_DOWN};
    expect(lastAddress(descriptorOf(values))).toBeGreaterThan(WINDOW);
    expect(lastAddress(descriptorOf(compressed(values, 1, 'below the window')))).toBe(-1);
  });
});

test.each([
  ['0/1/3', [1, 1, 2, 3]],
  ['0/3/3', [3, 3, 3, 3]],
] as const)('%s leaves ring 0 to the VMM', (layout, rings) => {
  expect([0, 1, 2, 3].map(ring => realRing(ring, layout))).toEqual(rings);
});
