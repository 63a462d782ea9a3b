import fc from 'fast-check';
import {expect, test} from 'vitest';
import {align} from './align.js';

const letters = fc.array(fc.constantFrom('a', 'b', 'c'), {maxLength: 12});

test('every entry of both lists appears once, in order, and only equal ones are paired', () =>
  fc.assert(
    fc.property(letters, letters, (a, b) => {
      const pairs = align(a, b);
      expect(pairs.flatMap(([i]) => (i === undefined ? [] : [i]))).toEqual(a.map((_, i) => i));
      expect(pairs.flatMap(([, j]) => (j === undefined ? [] : [j]))).toEqual(b.map((_, j) => j));
      for (const [i, j] of pairs) if (i !== undefined && j !== undefined) expect(a[i]).toBe(b[j]);
    }),
  ));

test('one entry too many costs no other match', () =>
  fc.assert(
    fc.property(letters, fc.nat(12), (a, at) => {
      const b = [...a.slice(0, at), 'x', ...a.slice(at)];
      expect(align(a, b).filter(([i, j]) => i !== undefined && j !== undefined)).toHaveLength(a.length);
    }),
  ));

test('stretches that are too long to be looked at entry by entry are paired as the caller says', () => {
  const [a, b] = [Array.from({length: 4000}, (_, i) => `a${i}`), Array.from({length: 2000}, (_, i) => `b${i}`)];
  const half = (first: number, second: number) =>
    Array.from({length: first}, (_, i) => [i, Math.floor((i * second) / first)] as const);
  const pairs = align(['start', ...a, 'end'], ['start', ...b, 'end'], half);
  expect(pairs[0]).toEqual([0, 0]);
  expect(pairs[3001]).toEqual([3001, 1501]);
  expect(pairs.at(-1)).toEqual([4001, 2001]);
  expect(align(a, b)[3000]).toEqual([3000, undefined]);
});
