// Steps are all made, in order; of a drag only the newest place is.

import {expect, test} from 'vitest';
import {MoveQueue} from './move-queue.js';

function recorder(): {readonly queue: MoveQueue; readonly made: string[]; readonly failures: unknown[]} {
  const made: string[] = [];
  const failures: unknown[] = [];
  return {queue: new MoveQueue(error => failures.push(error)), made, failures};
}

const later = (): Promise<void> =>
  new Promise(resolve => {
    setTimeout(resolve, 1);
  });

async function settled(queue: MoveQueue): Promise<void> {
  while (queue.busy) await later();
}

test('steps are made one after another, none is lost', async () => {
  const {queue, made} = recorder();
  for (const name of ['a', 'b', 'c'])
    queue.add('step', async () => {
      await later();
      made.push(name);
    });
  await settled(queue);
  expect(made).toEqual(['a', 'b', 'c']);
});

test('a drag keeps the place under way and the newest one', async () => {
  const {queue, made} = recorder();
  for (const name of ['first', 'second', 'third', 'last'])
    queue.add('seek', async () => {
      await later();
      made.push(name);
    });
  await settled(queue);
  expect(made).toEqual(['first', 'last']);
});

test('a move that fails is reported and the next one is made', async () => {
  const {queue, made, failures} = recorder();
  queue.add('step', () => Promise.reject(new Error('lost')));
  queue.add('step', async () => {
    made.push('after');
  });
  await settled(queue);
  expect(failures).toEqual([new Error('lost')]);
  expect(made).toEqual(['after']);
});

test('clearing forgets what has not begun', async () => {
  const {queue, made} = recorder();
  for (const name of ['a', 'b'])
    queue.add('step', async () => {
      await later();
      made.push(name);
    });
  queue.clear();
  await settled(queue);
  expect(made).toEqual(['a']);
});
