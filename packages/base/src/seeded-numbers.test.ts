import {expect, test} from 'vitest';
import {SeededNumbers} from './seeded-numbers.js';

const first = (seed: number, stream: number): readonly number[] => {
  const numbers = new SeededNumbers(seed, stream);
  return Array.from({length: 8}, () => numbers.below(1000));
};

test('the same seed and stream give the same numbers; another seed or stream gives others', () => {
  expect(first(1, 2)).toEqual(first(1, 2));
  expect(first(2, 2)).not.toEqual(first(1, 2));
  expect(first(1, 3)).not.toEqual(first(1, 2));
});

test('below a limit every number comes about as often as every other', () => {
  const numbers = new SeededNumbers(7, 0);
  const counts = new Map<number, number>();
  for (let i = 0; i < 6000; i++) {
    const value = numbers.below(6);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  expect([...counts.keys()].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
});
