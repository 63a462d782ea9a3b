// Keys do what the help says, and never take from a control what it needs itself.

import {expect, test} from 'vitest';
import {KEY_ROWS, commandFor} from './keys.js';

const PRESSED: Readonly<Record<string, string>> = {
  '→': 'ArrowRight',
  '←': 'ArrowLeft',
  '↑': 'ArrowUp',
  '↓': 'ArrowDown',
  Space: ' ',
  'Page Down': 'PageDown',
  'Page Up': 'PageUp',
  '1 … 9': '1',
};

test('every key of the help does what the help says', () => {
  for (const row of KEY_ROWS) {
    for (const key of row.keys) expect(commandFor(PRESSED[key] ?? key, 'page')).toBe(row.command);
  }
});

test('no key is taken while the reader types', () => {
  for (const key of ['e', ' ', 'ArrowRight', '1', '?']) expect(commandFor(key, 'types')).toBeUndefined();
});

test('space presses a focused button instead of playing', () => {
  expect(commandFor(' ', 'presses')).toBeUndefined();
  expect(commandFor('e', 'presses')).toBe('next-exit');
});

test('up and down scroll a focused panel, right and left still step', () => {
  expect(commandFor('ArrowDown', 'scrolls')).toBeUndefined();
  expect(commandFor('ArrowRight', 'scrolls')).toBe('forward');
});

test('digits choose machines', () => {
  expect(commandFor('2', 'page')).toBe('machine-2');
  expect(commandFor('0', 'page')).toBeUndefined();
});
