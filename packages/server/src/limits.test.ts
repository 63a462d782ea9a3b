import {expect, test} from 'vitest';
import {DEFAULT_LIMITS, withLimits} from './limits.js';

test('limits are changed by name', () => {
  expect(withLimits(['seconds=5', 'queue=0'])).toEqual({...DEFAULT_LIMITS, seconds: 5, queue: 0});
});
test.each(['speed=5', 'seconds', 'seconds=', 'seconds=0', 'seconds=-1', 'seconds=1.5', 'seconds=1e9', 'toString=1'])(
  '%s is refused in words',
  change => {
    expect(() => withLimits([change])).toThrow(/limit/);
  },
);
