import {expect, test} from 'vitest';
import {linesOfText} from './assembled-lines.js';

const program = Uint8Array.from({length: 64}, (_, index) => index);

test('the stretches of a line are one, from its first address', () => {
  const lines = linesOfText(
    [
      {line: 3, address: 0x8000n, offset: 0, length: 2, kind: 'instruction'},
      {line: 3, address: 0x8002n, offset: 2, length: 3, kind: 'instruction'},
      {line: 5, address: 0x8005n, offset: 5, length: 1, kind: 'data'},
    ],
    program,
  );
  expect(lines).toEqual([
    {line: 3, address: 0x8000n, bytes: Uint8Array.of(0, 1, 2, 3, 4), length: 5},
    {line: 5, address: 0x8005n, bytes: Uint8Array.of(5), length: 1},
  ]);
});

test('of a long line the first sixteen bytes are shown and all are counted; reserved space has none', () => {
  const lines = linesOfText(
    [
      {line: 1, address: 0n, offset: 0, length: 40, kind: 'data'},
      {line: 2, address: 40n, offset: 40, length: 4096, kind: 'reserved'},
    ],
    program,
  );
  expect(lines.map(({bytes, length}) => [bytes.length, length])).toEqual([
    [16, 40],
    [0, 4096],
  ]);
});
