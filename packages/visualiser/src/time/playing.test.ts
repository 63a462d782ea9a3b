// Play keeps to its speed, stays where it is told to, and shows few pictures where little motion is wanted.

import type {Moment, TraceEvent} from '@hyperscope/trace';
import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import type {LabState} from '../lab-state.js';
import {LabStore} from '../lab-store.js';
import {Playing, stayAt} from './playing.js';
import {toggled} from './running.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A screen of sixty pictures a second. */
function nextFrame(run: () => void): () => void {
  const timer = setTimeout(run, 16);
  return () => clearTimeout(timer);
}

const RING: TraceEvent = {kind: 'ring', from: 3, to: 0, how: 'SYSCALL'};

test('an event is stayed at as long as its kind asks for, the longest of several', () => {
  expect(stayAt({events: [RING]}, {exit: 'stop', ring: 'stay 2 s', mode: 'stop'})).toBe(2000);
  expect(stayAt({events: []}, {exit: 'stop', ring: 'stop', mode: 'stop'})).toBe(0);
  expect(stayAt({events: [RING]}, {exit: 'stop', ring: 'run through', mode: 'stop'})).toBe(0);
});

/** A lab in which every advance is done at once; gives how often it was asked, and for how many steps. */
function played(motion: 'full' | 'reduced', speed: LabState['time']['speed']['speed']): readonly number[] {
  const store = new LabStore(() => undefined);
  store.set({time: {...store.state.time, speed: {...store.state.time.speed, speed}}});
  const asked: number[] = [];
  const playing = new Playing({
    store,
    busy: () => false,
    step: () => undefined,
    advance: steps => asked.push(steps),
    motion: () => motion,
    nextFrame,
  });
  playing.toggle();
  vi.advanceTimersByTime(2000);
  playing.pause();
  vi.advanceTimersByTime(2000);
  return asked;
}

test('×16 is fifty steps a second, in as many pictures as the screen shows or in few', () => {
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
  const full = played('full', '×16');
  const reduced = played('reduced', '×16');
  for (const asked of [full, reduced]) expect(Math.abs(sum(asked) - 100)).toBeLessThan(22);
  expect(full.length).toBeGreaterThan(60);
  expect(reduced.length).toBeLessThan(12);
});

test('a stop ends Play, and Play goes on from there', () => {
  const store = new LabStore(() => undefined);
  const moment: Pick<Moment, 'events' | 'index' | 'length' | 'finished'> = {
    events: [RING],
    index: 7,
    length: 20,
    finished: true,
  };
  const steps: number[] = [];
  const playing = new Playing({
    store,
    busy: () => false,
    step: () => undefined,
    advance: by => steps.push(by),
    motion: () => 'full',
    nextFrame,
  });
  const state = store.state.time;
  store.set({time: {...state, speed: {speed: '×1', stays: {exit: 'stop', ring: 'stop', mode: 'stop'}}}});
  playing.toggle();
  Object.assign(store.state, {moment});
  vi.advanceTimersByTime(400);
  expect(store.state.playing).toBe(false);
  const before = steps.length;
  playing.toggle();
  vi.advanceTimersByTime(400);
  expect(steps.length).toBeGreaterThan(before);
  playing.pause();
});

test('a breakpoint that is set again is taken away', () => {
  const one = toggled([], {kind: 'address', address: 5n});
  expect(one).toHaveLength(1);
  expect(toggled(one, {kind: 'port', port: 5})).toHaveLength(2);
  expect(toggled(one, {kind: 'address', address: 5n})).toEqual([]);
});
