// What follows each picture is done at once, seldom while pictures come, and once more at their end.

import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {OnceInAWhile} from './once-in-a-while.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('sixty times a second for a second is followed by few, the first at once and the last after the end', async () => {
  let [happened, seen, runs] = [0, 0, 0];
  const follow = new OnceInAWhile(250, async () => {
    seen = happened;
    runs++;
  });
  for (let picture = 0; picture < 60; picture++) {
    happened++;
    follow.happened();
    if (picture === 0) expect(seen).toBe(1);
    await vi.advanceTimersByTimeAsync(16);
  }
  expect(runs).toBeLessThanOrEqual(5);
  await vi.advanceTimersByTimeAsync(500);
  expect(seen).toBe(60);
  const all = runs;
  await vi.advanceTimersByTimeAsync(5000);
  expect(runs).toBe(all);
});

test('one that takes long is not begun a second time meanwhile', async () => {
  let [running, most] = [0, 0];
  const follow = new OnceInAWhile(10, async () => {
    most = Math.max(most, ++running);
    await new Promise(resolve => setTimeout(resolve, 400));
    running--;
  });
  for (let picture = 0; picture < 60; picture++) {
    follow.happened();
    await vi.advanceTimersByTimeAsync(16);
  }
  expect(most).toBe(1);
});
