import {expect, test} from 'vitest';
import {HandClock} from './device-fixture.js';
import {PM_TIMER_HERTZ, PmTimer} from './pm-timer.js';

test('it counts at its own frequency and wraps at 24 bits', () => {
  const time = new HandClock(PM_TIMER_HERTZ);
  const timer = new PmTimer(time.clock);
  time.to(0x12_3456);
  expect([timer.read(0), timer.read(2) & 0xff]).toEqual([0x12_3456, 0x12]);
  time.to(0x100_0005);
  expect(timer.read(0)).toBe(5);
});
