// Measuring on the real device: every operation is answered as it says, and the figures hang together. How large they are
// is the machine's affair.

import {describe, expect, test} from 'vitest';
import {fingerprint} from '../fingerprint.js';
import {skipKvmTests} from '../skip-kvm-tests.js';
import {measureKvm} from './measure.js';
import {OPERATIONS} from './operations.js';

describe.skipIf(skipKvmTests())('measuring KVM', {timeout: 60_000}, () => {
  test('gives each operation a time, or the reason why not', () => {
    const told: string[] = [];
    const {operations, tscKhz} = measureKvm(fingerprint(), ({id}) => told.push(id));
    expect(told).toEqual(OPERATIONS.map(({id}) => id));
    expect(tscKhz).toBeGreaterThan(100_000);
    for (const each of operations) {
      if (each.kind === 'not-measured') {
        expect(each.id, each.why).toBe('hypercall');
        continue;
      }
      const {minimum, median, p90, p99, maximum, histogram, samples} = each.time;
      expect([minimum, median, p90, p99, maximum]).toEqual(
        [minimum, median, p90, p99, maximum].toSorted((a, b) => a - b),
      );
      expect(histogram.reduce((sum, {count}) => sum + count, 0)).toBe(samples);
      expect(each.cycles).toBeGreaterThan(0);
    }
  });
});
