// The slice timer against the machine's own clock: when it asks for the processor, and when it does not.

import {expect, test} from 'vitest';
import {Machine, WESTMERE, WESTMERE_COSTS} from '@hyperscope/machine';
import {SliceTimer} from './slice-timer.js';

const VECTOR = 0xef;

function armed(cycles: number): {machine: Machine; timer: SliceTimer} {
  const machine = new Machine({memoryBytes: 0x1000, profile: WESTMERE, costModel: WESTMERE_COSTS});
  const timer = new SliceTimer(machine);
  machine.deviceClock = timer.clock;
  timer.start(VECTOR);
  timer.arm(cycles);
  return {machine, timer};
}
function pass({machine, timer}: {machine: Machine; timer: SliceTimer}, cycles: number): void {
  machine.processor.charge(cycles);
  if (machine.cycles >= timer.clock.next) timer.clock.run();
}

test('asks for its vector when the cycles are over, not before, and once', () => {
  const both = armed(10_000);
  const {timer} = both;
  pass(both, 9990);
  expect([timer.requested, timer.isOver]).toEqual([undefined, false]);
  pass(both, 20);
  expect([timer.requested, timer.isOver]).toEqual([VECTOR, true]);
  timer.acknowledge(VECTOR);
  timer.endOfInterrupt();
  pass(both, 100_000);
  expect(timer.requested).toBeUndefined();
});

test('counts in ticks of the bus clock: a slice is never shorter than was asked for', () => {
  for (const cycles of [2000, 12_345, 49_999]) {
    const {machine, timer} = armed(cycles);
    expect(timer.clock.next).toBeGreaterThanOrEqual(cycles);
    expect(timer.clock.next - cycles).toBeLessThan(4);
    expect(machine.cycles).toBe(0);
  }
});

test('stopped, it has forgotten the interrupt of the last slice; a slice that is armed anew is not over', () => {
  const both = armed(1000);
  const {timer} = both;
  pass(both, 2000);
  expect(timer.requested).toBe(VECTOR);
  timer.stop();
  timer.arm(1000);
  expect([timer.requested, timer.isOver]).toEqual([undefined, false]);
  pass(both, 2000);
  expect(timer.requested).toBe(VECTOR);
});

test('stopped, it never asks', () => {
  const both = armed(1000);
  both.timer.stop();
  pass(both, 1_000_000);
  expect([both.timer.requested, both.timer.isOver]).toEqual([undefined, true]);
});

test('undoing what it announces gives its first state back', () => {
  const {timer} = armed(1000);
  const {banks} = timer;
  const before = banks.map(({bytes}) => bytes.slice());
  const undo = new Map<string, Uint8Array>();
  timer.observe((bank, offset, length) => {
    const found = banks.find(({name}) => name === bank);
    for (let at = offset; at < offset + length; at++)
      if (!undo.has(`${bank} ${at}`)) undo.set(`${bank} ${at}`, Uint8Array.of(found?.bytes[at] ?? 0));
  });
  timer.arm(5000);
  timer.stop();
  timer.arm(7000);
  for (const [place, [byte = 0]] of undo) {
    const [bank = '', at = '0'] = place.split(' ');
    const found = banks.find(({name}) => name === bank);
    if (found !== undefined) found.bytes[Number(at)] = byte;
  }
  expect(banks.map(({bytes}) => bytes)).toEqual(before);
});
