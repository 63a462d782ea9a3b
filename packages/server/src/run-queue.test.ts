import {expect, test} from 'vitest';
import {RunQueue} from './run-queue.js';

const never = new AbortController().signal;

test('runs go one after the other, in the order of asking', async () => {
  const queue = new RunQueue({atOnce: 1, waiting: 4});
  const log: string[] = [];
  const job = (name: string) => async () => {
    log.push(`${name} begins`);
    await new Promise(resolve => setTimeout(resolve, 2));
    log.push(`${name} ends`);
  };
  await Promise.all([queue.add(job('a'), never), queue.add(job('b'), never)]);
  expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  expect(queue.length).toBe(0);
});

test('a failed run does not stop the next', async () => {
  const queue = new RunQueue({atOnce: 1, waiting: 4});
  const failed = queue.add(() => Promise.reject(new Error('no')), never);
  const next = queue.add(async () => 1, never);
  await expect(failed).rejects.toThrow('no');
  await expect(next).resolves.toBe(1);
});

test('a run whose client left while it waited never starts', async () => {
  const queue = new RunQueue({atOnce: 1, waiting: 4});
  const left = new AbortController();
  let finish: () => void = () => undefined;
  const first = queue.add(() => new Promise<void>(resolve => (finish = resolve)), never);
  let started = false;
  const second = queue.add(async () => (started = true), left.signal);
  left.abort();
  await Promise.resolve();
  finish();
  await first;
  await expect(second).rejects.toThrow('went away');
  expect(started).toBe(false);
});

test('who waits is told each change of place; the place after the last is refused', async () => {
  const queue = new RunQueue({atOnce: 1, waiting: 2});
  const finish: (() => void)[] = [];
  const job = () => new Promise<void>(resolve => finish.push(resolve));
  const places: number[][] = [[], [], []];
  const all = places.map(list => queue.add(job, never, place => list.push(place)));
  await expect(queue.add(job, never)).rejects.toMatchObject({code: 'busy'});
  await Promise.resolve();
  for (const run of all) {
    await new Promise(resolve => setTimeout(resolve, 1));
    finish.shift()?.();
    await run;
  }
  expect(places).toEqual([[0], [1, 0], [2, 1, 0]]);
});

test('who leaves the line moves the others up', async () => {
  const queue = new RunQueue({atOnce: 1, waiting: 4});
  let finish: () => void = () => undefined;
  const first = queue.add(() => new Promise<void>(resolve => (finish = resolve)), never);
  const leaver = new AbortController();
  const second = queue.add(async () => 2, leaver.signal);
  const places: number[] = [];
  const third = queue.add(
    async () => 3,
    never,
    place => places.push(place),
  );
  leaver.abort();
  await expect(second).rejects.toMatchObject({code: 'cancelled'});
  expect(queue.waiting).toBe(1);
  finish();
  await first;
  await expect(third).resolves.toBe(3);
  expect(places).toEqual([2, 1, 0]);
});

test('several go on at once where the limits allow it', async () => {
  const queue = new RunQueue({atOnce: 2, waiting: 1});
  const finish: (() => void)[] = [];
  const job = () => new Promise<void>(resolve => finish.push(resolve));
  const all = [queue.add(job, never), queue.add(job, never), queue.add(job, never)];
  await new Promise(resolve => setTimeout(resolve, 1));
  expect([queue.running, queue.waiting]).toEqual([2, 1]);
  while (finish.length > 0) {
    finish.shift()?.();
    await new Promise(resolve => setTimeout(resolve, 1));
  }
  await Promise.all(all);
  expect(queue.length).toBe(0);
});
