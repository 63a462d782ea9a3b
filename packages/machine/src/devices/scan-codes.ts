// What a keyboard with the American layout sends for a text: each key pressed and released, in scan codes of set 1, with
// the left Shift key held where the character needs it. IBM, "PS/2 Hardware Interface Technical Reference", "Keyboard".

import {UserError} from '@hyperscope/base';

/** Rows of keys from their first scan code on: as they are, and with Shift. */
const ROWS = [
  {first: 0x02, plain: '1234567890-=\b\t', shifted: '!@#$%^&*()_+'},
  {first: 0x10, plain: 'qwertyuiop[]\n', shifted: 'QWERTYUIOP{}'},
  {first: 0x1e, plain: "asdfghjkl;'`", shifted: 'ASDFGHJKL:"~'},
  {first: 0x2b, plain: '\\zxcvbnm,./', shifted: '|ZXCVBNM<>?'},
  {first: 0x39, plain: ' ', shifted: ''},
  {first: 0x01, plain: '\u001b', shifted: ''},
] as const;
const LEFT_SHIFT = 0x2a;
const RELEASED = 0x80;

/** @throws UserError 'no-such-key' for a character that has no key. */
export function scanCodesOf(text: string): Uint8Array {
  return Uint8Array.from(Array.from(text).flatMap(codesOf));
}

function codesOf(character: string): readonly number[] {
  for (const {first, plain, shifted} of ROWS) {
    const at = plain.indexOf(character);
    if (at >= 0) return [first + at, (first + at) | RELEASED];
    const above = shifted.indexOf(character);
    if (above >= 0) return [LEFT_SHIFT, first + above, (first + above) | RELEASED, LEFT_SHIFT | RELEASED];
  }
  throw new UserError(
    'no-such-key',
    `No key of an American keyboard writes ${JSON.stringify(character)}. Type letters, digits and ASCII punctuation.`,
  );
}
