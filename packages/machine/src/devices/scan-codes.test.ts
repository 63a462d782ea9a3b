import {UserError} from '@hyperscope/base';
import {expect, test} from 'vitest';
import {scanCodesOf} from './scan-codes.js';

test('a key is pressed and released', () =>
  expect([...scanCodesOf('a1 \n')]).toEqual([0x1e, 0x9e, 0x02, 0x82, 0x39, 0xb9, 0x1c, 0x9c]));

test('Shift is held where the character needs it', () =>
  expect([...scanCodesOf('A~')]).toEqual([0x2a, 0x1e, 0x9e, 0xaa, 0x2a, 0x29, 0xa9, 0xaa]));

test('every printable character of ASCII has a key', () => {
  for (let code = 0x20; code < 0x7f; code++) expect(scanCodesOf(String.fromCharCode(code)).length).toBeGreaterThan(1);
});

test('a character without a key is refused with a sentence', () => expect(() => scanCodesOf('ä')).toThrow(UserError));
