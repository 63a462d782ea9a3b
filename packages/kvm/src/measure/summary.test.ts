import {expect, test} from 'vitest';
import {hasHypervisorBit} from './measure.js';
import {summarize} from './summary.js';

test('a summary has the order statistics of its samples', () => {
  const {samples, minimum, median, p90, p99, maximum} = summarize(Array.from({length: 100}, (_, index) => 100 - index));
  expect({samples, minimum, median, p90, p99, maximum}).toEqual({
    samples: 100,
    minimum: 1,
    median: 51,
    p90: 91,
    p99: 100,
    maximum: 100,
  });
});
test('a histogram has four classes to a factor of two, and counts every sample once', () => {
  const {histogram} = summarize([1000, 1000, 2000, 4000]);
  expect(histogram.map(({count}) => count)).toEqual([2, 0, 0, 0, 1, 0, 0, 0, 1]);
  expect((histogram[4]?.from ?? 0) / (histogram[0]?.from ?? 1)).toBeCloseTo(2);
});
test('no samples have no summary', () => {
  expect(() => summarize([])).toThrow(RangeError);
});
test('an outer hypervisor shows in the flags of /proc/cpuinfo, not in a name', () => {
  expect(hasHypervisorBit('model name\t: X\nflags\t\t: fpu vme hypervisor lahf_lm\n')).toBe(true);
  expect(hasHypervisorBit('model name\t: hypervisor\nflags\t\t: fpu vme\n')).toBe(false);
});
