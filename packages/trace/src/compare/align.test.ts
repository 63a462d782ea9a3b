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
