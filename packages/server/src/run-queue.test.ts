import {expect, test} from 'vitest';
import {RunQueue} from './run-queue.js';

const never = new AbortController().signal;

test('runs go one after the other, in the order of asking', async () => {
  const queue = new RunQueue(4);
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
  const queue = new RunQueue(4);
  const failed = queue.add(() => Promise.reject(new Error('no')), never);
  const next = queue.add(async () => 1, never);
  await expect(failed).rejects.toThrow('no');
  await expect(next).resolves.toBe(1);
});

test('a run whose client left while it waited never starts', async () => {
  const queue = new RunQueue(4);
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
