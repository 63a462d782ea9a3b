import {createHash} from 'node:crypto';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {sha256} from './sha256.js';

test('agrees with another implementation on any bytes', () =>
  fc.assert(
    fc.property(fc.uint8Array({maxLength: 300}), bytes => {
      expect(sha256(bytes)).toBe(createHash('sha256').update(bytes).digest('hex'));
    }),
  ));
