import {expect, test} from 'vitest';
import {HandClock} from './device-fixture.js';

test('what is due runs earliest first, and at one cycle in the order of making', () => {
  const time = new HandClock();
  const seen: string[] = [];
  const [a, b, c] = ['a', 'b', 'c'].map(name =>
    time.clock.timer(
      due => seen.push(`${name}${due}`),
      () => true,
    ),
  );
  c?.arm(5);
  b?.arm(9);
  a?.arm(9);
  time.jump(10);
  expect(seen).toEqual(['c5', 'a9', 'b9']);
  expect(time.clock.next).toBe(Infinity);
});

test('HLT waits only for timers that are heard', () => {
  const time = new HandClock();
  let heard = false;
  time.clock
    .timer(
      () => undefined,
      () => heard,
    )
    .arm(7);
  expect([time.clock.next, time.clock.nextWake]).toEqual([7, Infinity]);
  heard = true;
  expect(time.clock.nextWake).toBe(7);
});

test('a tick begins at the cycle that cycleOf gives, and not before', () => {
  const {clock} = new HandClock(2_660_000_000);
  for (const tick of [1, 2, 1_193_182, 123_456_789]) {
    const cycle = clock.cycleOf(tick, 1_193_182);
    expect([clock.ticks(1_193_182, cycle), clock.ticks(1_193_182, cycle - 1)]).toEqual([tick, tick - 1]);
  }
});

test('deadlines are state: going back arms what was armed', () => {
  const time = new HandClock();
  const timer = time.clock.timer(
    () => undefined,
    () => true,
  );
  timer.arm(5);
  const before = time.clock.bank.bytes.slice();
  timer.disarm();
  time.clock.bank.bytes.set(before);
  expect([timer.deadline, time.clock.next]).toEqual([5, 5]);
});
