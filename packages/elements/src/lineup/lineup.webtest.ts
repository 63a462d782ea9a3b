// Rows that say in words what they show, a scrubber, and a choice of machines by keys.

import {expect, test} from 'vitest';
import {mount, textOf} from '../testing/mounting.js';
import {SAMPLE_LANES, SAMPLE_REASONS} from '../samples/sample-lanes.js';
import {LaneExitTable} from './lane-exit-table.js';
import {LaneEvent, ProgressEvent} from './lineup-events.js';
import {LineupView} from './lineup.js';

async function lineup(): Promise<{readonly view: LineupView; readonly rows: readonly HTMLElement[]}> {
  const view = new LineupView();
  Object.assign(view, {lanes: SAMPLE_LANES, instruction: 30, instructions: 100, chosen: 'bare'});
  await mount(view);
  return {view, rows: [...(view.shadowRoot?.querySelectorAll<HTMLElement>('[role=radio]') ?? [])]};
}

test('every machine has a row whose name says what it shows', async () => {
  const {rows} = await lineup();
  expect(rows.map(row => row.getAttribute('aria-label'))).toEqual([
    'Bare: reference; guest kernel in ring 0; 0 of 0 exits, 0 switches.',
    'Trap & emulate: wrong; VMM in ring 0; 3 of 16 exits, 5 switches.',
    'VT-x EPT: running, 1,200 steps so far.',
    'SVM NPT: waits for its turn.',
    'Real KVM: This server has no KVM.',
  ]);
});

test('where a machine goes wrong is marked in its picture, at its share of the way', async () => {
  const {rows} = await lineup();
  const marks = [...(rows[1]?.querySelectorAll('svg rect[fill="var(--bad)"]') ?? [])];
  expect(marks.map(mark => mark.getAttribute('x'))).toEqual(['2', '2']);
  expect(rows[0]?.querySelector('svg rect[fill="var(--bad)"]')).toBeNull();
});

test('the scrubber stands where the playhead is, also where that was known before how far it goes', async () => {
  const view = new LineupView();
  Object.assign(view, {lanes: SAMPLE_LANES, instruction: 30, instructions: 0, chosen: 'bare'});
  await mount(view);
  view.instructions = 100;
  await view.updateComplete;
  expect(view.shadowRoot?.querySelector('input')?.valueAsNumber).toBe(30);
});

test('the scrubber and the keys ask, and change nothing themselves', async () => {
  const {view, rows} = await lineup();
  const asked: unknown[] = [];
  view.addEventListener('hs-progress', event => event instanceof ProgressEvent && asked.push(event.detail.instruction));
  view.addEventListener('hs-lane', event => event instanceof LaneEvent && asked.push(event.detail.id));
  const slider = view.shadowRoot?.querySelector('input');
  if (slider) {
    slider.value = '55';
    slider.dispatchEvent(new Event('input'));
  }
  rows[0]?.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowDown', bubbles: true}));
  rows[0]?.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowUp', bubbles: true}));
  rows[3]?.click();
  expect(asked).toEqual([55, 'trap-and-emulate', 'kvm', 'svm-npt']);
});

test('the table counts as perf kvm stat does, and says nothing of time that nobody measured', async () => {
  const table = new LaneExitTable();
  const asked: number[] = [];
  table.addEventListener(
    'hs-progress',
    event => event instanceof ProgressEvent && asked.push(event.detail.instruction),
  );
  table.exits = SAMPLE_REASONS;
  await mount(table);
  expect(textOf(table)).toMatch(/I\/O instruction 3 75\.0 % 90\.0 % 200 400 300 out dx, al The guest kernel executed/);
  // Only the way to what the reference came to is offered.
  const ways = [...(table.shadowRoot?.querySelectorAll('button') ?? [])];
  expect(ways.map(way => way.getAttribute('aria-label'))).toEqual(['Go to the first: I/O instruction']);
  ways[0]?.click();
  expect(asked).toEqual([4]);
  table.exits = [
    {
      reason: 'KVM_EXIT_IO',
      count: 2,
      cycles: undefined,
      shortest: undefined,
      longest: undefined,
      first: 1,
      instruction: '',
      words: [],
      firstAt: undefined,
    },
  ];
  await table.updateComplete;
  expect(textOf(table)).toMatch(/KVM_EXIT_IO 2 100\.0 % – – – –/);
});
