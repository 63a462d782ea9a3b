import {describe, expect, test} from 'vitest';
import {ACTOR_ORDER} from './actors.js';
import {Playhead} from './playhead.js';
import {sampleRun} from './sample-run.js';
import {MAXIMUM_MARKS, timelineWindow} from './timeline.js';

const STEPS = 5000;
const STOPS = [0, 1, 63, 64, 65, 128, 3000, 4095, 4096, 4999, 5000];

describe('a record of five thousand steps', () => {
  const {recorder, banks, snapshots} = sampleRun(STEPS, STOPS);
  const record = recorder.record;

  test('seeks between any two moments, forwards and backwards, to bit-identical state', () => {
    const playhead = new Playhead(record);
    for (const from of STOPS) {
      for (const to of STOPS) {
        playhead.seek(from);
        playhead.seek(to);
        expect(playhead.banks.map(bank => bank.bytes)).toEqual(snapshots.get(to));
      }
    }
  });

  test('carries the recorded banks themselves back and forth, and tells which bytes it touched', () => {
    const touched = new Set<string>();
    recorder.seek(STEPS, 1500, (bank, offset, length) => {
      for (let i = 0; i < length; i++) touched.add(`${bank}:${offset + i}`);
    });
    const there = banks.map(bank => bank.bytes.slice());
    recorder.seek(1500, STEPS);
    expect(banks.map(bank => bank.bytes)).toEqual(snapshots.get(STEPS));
    banks.forEach((bank, b) =>
      bank.bytes.forEach((byte, i) => {
        if (byte !== there[b]?.[i]) expect(touched.has(`${bank.name}:${i}`)).toBe(true);
      }),
    );
  });

  test('knows who wrote a byte last, as a scan of all steps would find', () => {
    const playhead = new Playhead(record);
    const memory = playhead.bank('memory') ?? new Uint8Array(0);
    const before = memory.slice();
    const last = new Map<number, number>();
    for (let step = 0; step < STEPS; step++) {
      playhead.seek(step + 1);
      memory.forEach((byte, i) => {
        if (byte !== before[i]) {
          last.set(i, step);
          before[i] = byte;
        }
      });
    }
    for (let offset = 0; offset < 4096; offset += 37) {
      const found = record.lastWriter('memory', offset);
      // A write of the value that was there already is a write too, so the answer may only be later than what changed.
      expect(found ?? -1).toBeGreaterThanOrEqual(last.get(offset) ?? -1);
      if (found !== undefined) expect(record.lastWriter('memory', offset, found) ?? -1).toBeLessThan(found);
    }
    expect(record.lastWriter('memory', 4090)).toBeUndefined();
  });

  test('finds events in both directions, as the state after their step', () => {
    expect(record.neighbour(0, 'forward', 'event')).toBe(100);
    expect(record.neighbour(100, 'forward', 'event')).toBe(200);
    expect(record.neighbour(200, 'back', 'event')).toBe(100);
    expect(record.neighbour(150, 'back', 'event')).toBe(100);
    expect(record.neighbour(100, 'back', 'event')).toBeUndefined();
    expect(record.neighbour(0, 'forward', 'exit')).toBeUndefined();
    expect(record.neighbour(STEPS, 'forward', 'instruction')).toBeUndefined();
  });

  test('shares the cycles of any window among the actors without losing one', () => {
    for (const [from, to, columns] of [
      [0, 50_000, 7],
      [3, 49_997, 100],
      [10_235, 10_245, 3],
      [0, 50, 50],
    ] as const) {
      const window = timelineWindow(record, from, to, columns);
      expect(window.cycles.reduce((a, b) => a + b, 0)).toBeCloseTo(to - from, 6);
    }
    const whole = timelineWindow(record, 0, 50_000, 1);
    expect(whole.cycles[ACTOR_ORDER.indexOf('hypervisor')]).toBe(10_000);
    expect(whole.cycles[ACTOR_ORDER.indexOf('guest-kernel')]).toBe(40_000);
    expect(whole.marks.map(mark => mark.step)).toEqual(Array.from({length: 50}, (_, i) => i * 100 + 99));
  });
});

test('more marks than a screen can tell apart are counted and not sent; fewer are all there', () => {
  const {recorder} = sampleRun(100 * (MAXIMUM_MARKS + 1));
  const {record} = recorder;
  const whole = timelineWindow(record, 0, record.endCycle, 100);
  expect([whole.marked, whole.marks.length]).toEqual([MAXIMUM_MARKS + 1, 0]);
  const part = timelineWindow(record, 0, record.endCycle / 2, 100);
  expect(part.marks).toHaveLength(part.marked);
});
