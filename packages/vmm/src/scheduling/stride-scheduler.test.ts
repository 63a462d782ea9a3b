// The policy alone: who is next, in which ratio, and what sleeping is worth.

import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {StrideScheduler} from './stride-scheduler.js';
import type {SchedulerField} from './stride-scheduler.js';

function scheduler(...weights: readonly number[]): StrideScheduler {
  const numbers = new Map<string, number>();
  const made = new StrideScheduler({
    count: weights.length,
    read: (machine, field: SchedulerField) => numbers.get(`${machine} ${field}`) ?? 0,
    write: (machine, field, value) => void numbers.set(`${machine} ${field}`, value),
  });
  for (const [machine, weight] of weights.entries()) made.admit(machine, weight);
  return made;
}

/** Gives slices of `quantum` cycles to whoever is next, and tells who had how many. */
function slices(stride: StrideScheduler, count: number, quantum: number): readonly number[] {
  const had: number[] = [];
  for (let slice = 0; slice < count; slice++) {
    const machine = stride.next();
    if (machine === undefined) break;
    stride.dispatch(machine);
    stride.charge(machine, quantum);
    stride.preempt(machine);
    had.push(machine);
  }
  return had;
}

const counted = (had: readonly number[], machines: number): readonly number[] =>
  Array.from({length: machines}, (_, machine) => had.filter(each => each === machine).length);

test('with equal weights everybody has his turn', () => {
  expect(slices(scheduler(1, 1, 1), 7, 1000)).toEqual([0, 1, 2, 0, 1, 2, 0]);
});

test('over any stretch, slices come in the ratio of the weights, to one slice', () => {
  const weights = fc.array(fc.integer({min: 1, max: 100}), {minLength: 1, maxLength: 4});
  fc.assert(
    fc.property(weights, fc.integer({min: 1, max: 400}), (given, count) => {
      const had = counted(slices(scheduler(...given), count, 10_000), given.length);
      const total = given.reduce((sum, weight) => sum + weight, 0);
      for (const [machine, weight] of given.entries())
        expect(Math.abs((had[machine] ?? 0) - (count * weight) / total)).toBeLessThan(given.length);
    }),
  );
});

test('who pays little for a turn gets more turns: cycles are shared, not slices', () => {
  const stride = scheduler(1, 1);
  const cycles = [0, 0];
  for (let turn = 0; turn < 300; turn++) {
    const machine = stride.next() ?? 0;
    const used = machine === 0 ? 300 : 1000;
    stride.dispatch(machine);
    stride.charge(machine, used);
    stride.preempt(machine);
    cycles[machine] = (cycles[machine] ?? 0) + used;
  }
  expect(Math.abs((cycles[0] ?? 0) - (cycles[1] ?? 0))).toBeLessThan(1001);
});

describe('who waits', () => {
  test('is not chosen, and is not paid for the time when it is back', () => {
    const stride = scheduler(1, 1);
    stride.dispatch(0);
    stride.wait(0);
    expect(slices(stride, 50, 1000)).toEqual(Array.from({length: 50}, () => 1));
    stride.wake(0);
    expect(counted(slices(stride, 20, 1000), 2)).toEqual([10, 10]);
  });

  test('keeps what it has had too much', () => {
    const stride = scheduler(1, 1);
    stride.dispatch(0);
    stride.charge(0, 10_000);
    stride.wait(0);
    stride.wake(0);
    expect(slices(stride, 11, 1000)).toEqual([...Array.from({length: 10}, () => 1), 0]);
  });
});

test('with nobody ready nobody is next; who is over never is', () => {
  const stride = scheduler(1, 1);
  stride.dispatch(0);
  stride.finish(0);
  expect(stride.next()).toBe(1);
  stride.dispatch(1);
  stride.wait(1);
  expect(stride.next()).toBeUndefined();
  expect([stride.state(0), stride.state(1), stride.inState('waiting')]).toEqual(['done', 'waiting', [1]]);
});

test('two cannot have the processor, and only who has it can lose it', () => {
  const stride = scheduler(1, 1);
  stride.dispatch(0);
  expect(() => stride.dispatch(1)).toThrow('the processor is free');
  expect(() => stride.preempt(1)).toThrow('who has the processor');
  expect(() => stride.wake(1)).toThrow('only who waits');
  expect(() => scheduler(0)).toThrow('a weight from 1 to 100');
});
