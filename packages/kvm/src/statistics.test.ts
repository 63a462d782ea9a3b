import {describe, expect, test} from 'vitest';
import {parseStatistics, statisticsDelta} from './statistics.js';

/** A statistics file as the kernel lays it out, with longer names than needed and values in another order. */
function file(entries: readonly (readonly [name: string, words: number, value: bigint])[]): Uint8Array {
  const [nameSize, first] = [48, 24 + 24];
  const stride = 16 + nameSize;
  const data = first + entries.length * stride;
  const bytes = new Uint8Array(data + entries.length * 64);
  const view = new DataView(bytes.buffer);
  [0, nameSize, entries.length, 24, first, data].forEach((value, index) => view.setUint32(index * 4, value, true));
  for (const [index, [name, words, value]] of entries.entries()) {
    const at = first + index * stride;
    const offset = (entries.length - 1 - index) * 64;
    view.setUint16(at + 6, words, true);
    view.setUint32(at + 8, offset, true);
    bytes.set(new TextEncoder().encode(name), at + 16);
    view.setBigUint64(data + offset, value, true);
  }
  return bytes;
}

describe('the statistics file', () => {
  test('is read by name, through its own offsets', () =>
    expect([
      ...parseStatistics(
        file([
          ['exits', 1, 7n],
          ['io_exits', 1, 3n],
        ]),
      ),
    ]).toEqual([
      ['exits', 7],
      ['io_exits', 3],
    ]));

  test('has histograms, which are left out', () =>
    expect([
      ...parseStatistics(
        file([
          ['halt_wait_hist', 32, 9n],
          ['exits', 1, 1n],
        ]),
      ).keys(),
    ]).toEqual(['exits']));

  test('may lie anywhere in a larger buffer', () => {
    const padded = new Uint8Array(3000);
    const bytes = file([['exits', 1, 5n]]);
    padded.set(bytes, 17);
    expect(parseStatistics(padded.subarray(17, 17 + bytes.length)).get('exits')).toBe(5);
  });

  test('tells only what moved', () =>
    expect(
      statisticsDelta(
        new Map([
          ['a', 1],
          ['b', 2],
        ]),
        new Map([
          ['a', 4],
          ['b', 2],
          ['c', 1],
        ]),
      ),
    ).toEqual({a: 3, c: 1}));
});
