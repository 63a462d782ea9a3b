import {expect, test} from 'vitest';
import {countedWords, portAsText, portRows} from './port-text.js';
import type {PortLine} from './port-text.js';

const common = (text: string): PortLine => ({kind: 'common', text});
const LINES: readonly PortLine[] = [
  ...['a', 'b', 'c', 'd', 'e'].map(common),
  {kind: 'removed', text: 'cli'},
  {kind: 'added', text: 'mov byte [mask], 1'},
  ...['f', 'g', 'h', 'i'].map(common),
];

test('lines have their numbers in both texts', () => {
  const rows = portRows(LINES, 'everything');
  expect(rows).toHaveLength(LINES.length);
  expect(rows[5]).toMatchObject({before: 6, after: undefined});
  expect(rows[6]).toMatchObject({before: undefined, after: 6});
  expect(rows[7]).toMatchObject({before: 7, after: 7});
});

test('only the changes: three lines around, and how many are left out', () => {
  const rows = portRows(LINES, 'changes');
  expect(rows[0]).toEqual({kind: 'gap', lines: 2});
  expect(rows.at(-1)).toEqual({kind: 'gap', lines: 1});
  expect(rows).toHaveLength(10);
  expect(rows[1]).toMatchObject({line: {text: 'c'}, before: 3, after: 3});
});

test('as text it has the signs of a diff, and names are counted', () => {
  const text = portAsText({original: 'mini-os', port: 'mini-os, ported', lines: LINES, parts: []});
  expect(text.split('\n').slice(0, 3)).toEqual(['--- mini-os', '+++ mini-os, ported', ' a']);
  expect(text).toContain('\n-cli\n+mov byte [mask], 1\n');
  expect(
    countedWords([
      ['CLI', 3],
      ['MOV CR3', 1],
    ]),
  ).toBe('CLI ×3, MOV CR3');
});
