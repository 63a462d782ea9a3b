// Rows and marks of a comparison, over a run whose exits are at steps 4 and 18 and whose user space hears at step 6.

import type {AlignedEvent, Difference} from '@hyperscope/trace';
import {expect, test} from 'vitest';
import {besideRows, realMarks} from './beside-rows.js';

const RUN = {exitSteps: [4, 18], cycleAt: (state: number) => state * 100};
const BOTH: AlignedEvent = {a: {step: 6, label: 'out 0x48'}, b: {step: 2, label: 'out 0x48'}};

function difference(change: Partial<Difference>): Difference {
  return {
    class: 'host-quirk',
    where: 'registers',
    what: 'RIP',
    a: '0x8006',
    b: '0x8007',
    at: {a: 5, b: 2},
    why: 'KVM has already gone past the OUT.',
    ...change,
  };
}

test('an event that both saw belongs to the exit before it, until user space has been told', () => {
  const [row] = besideRows({events: [BOTH], differences: []}, RUN);
  expect(row?.simulated).toEqual({index: 5, until: 7, text: 'out 0x48'});
  expect(row?.verdict).toBe('matched');
});

test('a register that differs there is told with its reason', () => {
  const [row] = besideRows({events: [BOTH], differences: [difference({})]}, RUN);
  expect(row?.verdict).toBe('explained');
  expect(row?.why).toBe('RIP 0x8006 and 0x8007: KVM has already gone past the OUT.');
});

test('registers that differ for the same reason are told together, and a missing event is told once', () => {
  const both = [difference({}), difference({what: 'RCX', a: '0x0', b: '0x1'})];
  const [row] = besideRows({events: [BOTH], differences: both}, RUN);
  expect(row?.why).toBe('RIP 0x8006 and 0x8007, RCX 0x0 and 0x1: KVM has already gone past the OUT.');
  const alone: AlignedEvent = {a: {step: 6, label: 'out 0x33'}, b: undefined};
  const missing = difference({where: 'sequence', what: 'out 0x33', at: {a: 6, b: 3}, why: 'SYSCALL stays in ring 3.'});
  expect(besideRows({events: [alone], differences: [missing]}, RUN)[0]?.why).toBe('SYSCALL stays in ring 3.');
});

test('a difference that nobody can explain makes the row unexplained, and its mark differs', () => {
  const rows = besideRows({events: [BOTH], differences: [difference({class: 'unexplained'})]}, RUN);
  expect(rows[0]?.verdict).toBe('unexplained');
  expect(realMarks(rows, RUN)[0]?.kind).toBe('differs');
});

test('a difference of a later event is not told at an earlier one', () => {
  const later: AlignedEvent = {a: {step: 20, label: 'hlt'}, b: {step: 9, label: 'hlt'}};
  const rows = besideRows({events: [BOTH, later], differences: [difference({at: {a: 19, b: 8}})]}, RUN);
  expect(rows.map(row => row.verdict)).toEqual(['matched', 'explained']);
});

test('an event that only the real run had is unexplained unless the comparison knows why', () => {
  const alone: AlignedEvent = {a: undefined, b: {step: 3, label: 'in 0x60'}};
  expect(besideRows({events: [alone], differences: []}, RUN)[0]?.verdict).toBe('unexplained');
  const known = difference({where: 'sequence', at: {a: 0, b: 3}});
  expect(besideRows({events: [alone], differences: [known]}, RUN)[0]).toMatchObject({
    simulated: undefined,
    verdict: 'explained',
  });
});

test('exits that user space never hears of are hollow marks at their own cycle', () => {
  const marks = realMarks(besideRows({events: [BOTH], differences: []}, RUN), RUN);
  expect(marks.map(mark => [mark.index, mark.cycle, mark.kind])).toEqual([
    [5, 500, 'matched'],
    [19, 1900, 'inside'],
  ]);
});

test('on bare metal an event is where it happens', () => {
  const [row] = besideRows({events: [BOTH], differences: []}, {...RUN, exitSteps: []});
  expect(row?.simulated).toMatchObject({index: 7, until: 7});
});
