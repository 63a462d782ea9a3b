import fc from 'fast-check';
import {expect, test} from 'vitest';
import {diffHunks, diffLines} from './line-diff.js';
import type {DiffLine} from './line-diff.js';

const marks = {common: ' ', removed: '-', added: '+'} as const;
const shown = (lines: readonly DiffLine[]): readonly string[] => lines.map(({kind, text}) => marks[kind] + text);

test('what is replaced stands before what replaces it', () => {
  expect(shown(diffLines(['a', 'b', 'c', 'd'], ['a', 'x', 'y', 'd']))).toEqual([' a', '-b', '-c', '+x', '+y', ' d']);
});

test('hunks have three common lines around them, and their places in both texts', () => {
  const before = Array.from({length: 20}, (_, line) => `line ${line + 1}`);
  const after = before.flatMap(line => (line === 'line 5' ? ['five'] : line === 'line 16' ? [] : [line]));
  const hunks = diffHunks(diffLines(before, after));
  expect(hunks.map(hunk => [hunk.before, hunk.after])).toEqual([
    [
      [2, 7],
      [2, 7],
    ],
    [
      [13, 7],
      [13, 6],
    ],
  ]);
  expect(shown(hunks[0]?.lines ?? []).join('|')).toBe(' line 2| line 3| line 4|-line 5|+five| line 6| line 7| line 8');
});

test('a diff has both texts in it, whatever they are', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), {maxLength: 12});
  fc.assert(
    fc.property(text, text, (before, after) => {
      const lines = diffLines(before, after);
      const without = (kind: DiffLine['kind']): readonly string[] =>
        lines.filter(line => line.kind !== kind).map(line => line.text);
      expect(without('added')).toEqual(before);
      expect(without('removed')).toEqual(after);
      expect(diffHunks(lines, 100).length).toBeLessThanOrEqual(1);
    }),
  );
});
