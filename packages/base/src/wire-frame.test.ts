import {expect, test} from 'vitest';
import fc from 'fast-check';
import {decodeFrame, encodeFrame} from './wire-frame.js';

test('bytes travel beside the text, in order', () => {
  const message = {id: 'a', list: [Uint8Array.of(1, 2), null, 'ü'], more: {last: Uint8Array.of()}};
  expect(decodeFrame(encodeFrame(message))).toEqual(message);
});

test('a view of bytes that knows how to become JSON travels as bytes, too', () => {
  class Named extends Uint8Array {
    toJSON(): string {
      return 'a name';
    }
  }
  expect(decodeFrame(encodeFrame([new Named([1, 2])]))).toEqual([Uint8Array.of(1, 2)]);
});

test('any plain message comes back', () => {
  const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.uint8Array());
  const tree = fc.letrec(tie => ({
    node: fc.oneof(
      {maxDepth: 4},
      leaf,
      fc.array(tie('node')),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), tie('node')),
    ),
  }));
  fc.assert(
    fc.property(tree.node, message => {
      expect(decodeFrame(encodeFrame(message))).toEqual(message);
    }),
  );
});

test.each([
  ['nothing', Uint8Array.of()],
  ['a length beyond its end', Uint8Array.of(200, 0, 0, 0, 123)],
  ['text that is no JSON', Uint8Array.of(1, 0, 0, 0, 0x7b)],
  ['text that is no UTF-8', Uint8Array.of(1, 0, 0, 0, 0xff)],
  ['bytes that are not there', encodeFrame({a: Uint8Array.of(1, 2, 3)}).slice(0, -1)],
  ['bytes that nobody announced', Uint8Array.of(...encodeFrame({}), 7)],
  ['a size that is none', Uint8Array.of(13, 0, 0, 0, ...new TextEncoder().encode('{"$bytes":-1}'))],
])('%s is refused', (_what, frame) => {
  expect(() => decodeFrame(frame)).toThrow('did not write');
});
