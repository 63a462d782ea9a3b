// What says the same is not drawn again; what differs in any part is.

import {expect, test} from 'vitest';
import {isSameContent} from './same-content.js';

test('copies say the same', () => {
  const value = {who: 'vmm', at: 5n, list: [1, {none: undefined}], bytes: Uint8Array.of(1, 2)};
  expect(isSameContent(value, structuredClone(value))).toBe(true);
});

test.each([
  [{at: 5n}, {at: 6n}],
  [{at: 5n}, {at: 5}],
  [{a: undefined}, {b: undefined}],
  [{a: 1}, {a: 1, b: undefined}],
  [
    [1, 2],
    [1, 2, 3],
  ],
  [[], {}],
  [Uint8Array.of(1, 2), Uint8Array.of(1, 3)],
  [undefined, {}],
])('%o and %o do not', (a, b) => {
  expect(isSameContent(a, b)).toBe(false);
  expect(isSameContent(b, a)).toBe(false);
});
