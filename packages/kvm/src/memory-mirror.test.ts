import {gpa} from '@hyperscope/base';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {MemoryMirror} from './memory-mirror.js';

/** Quicker than toEqual on thousands of bytes. */
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

describe('MemoryMirror', () => {
  test('begins as the loader left memory', () => {
    const live = new Uint8Array(8192);
    live.set([1, 2, 3], 5000);
    expect(new MemoryMirror(live, [{gpa: gpa(5000), bytes: new Uint8Array([1, 2, 3])}]).bytes).toEqual(live);
  });

  test('equals memory after an update of the dirty pages, and every changed byte was announced with its old value', () => {
    const writes = fc.array(fc.tuple(fc.integer({min: 0, max: 8191}), fc.integer({min: 0, max: 255})), {maxLength: 40});
    fc.assert(
      fc.property(writes, list => {
        const live = new Uint8Array(8192);
        const mirror = new MemoryMirror(live, []);
        const [before, announced] = [mirror.bytes.slice(), new Set<number>()];
        for (const [at, value] of list) live[at] = value;
        mirror.update([0, 4096], {
          willWrite: (bank, offset, length) => {
            expect(bank).toBe('memory');
            expect(same(mirror.bytes.subarray(offset, offset + length), before.subarray(offset, offset + length))).toBe(
              true,
            );
            for (let i = offset; i < offset + length; i++) announced.add(i);
          },
        });
        expect(same(mirror.bytes, live)).toBe(true);
        expect(list.filter(([at]) => live[at] !== before[at] && !announced.has(at))).toEqual([]);
      }),
    );
  });

  test('does not look at pages that were not written', () => {
    const live = new Uint8Array(8192);
    const mirror = new MemoryMirror(live, []);
    live[4096] = 1;
    expect(mirror.update([0], undefined)).toBe(0);
    expect(mirror.bytes[4096]).toBe(0);
  });
});
