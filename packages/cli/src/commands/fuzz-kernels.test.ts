// Random kernels in translation, on an ordinary processor: at every step where bare metal was, and the same end, with interrupts too.

import {expect, test} from 'vitest';
import {runInProcess} from '../testing/run-in-process.js';
import {FUZZ} from './fuzz.js';

test('kernels in translation are where bare metal is, and interrupts change nothing', {timeout: 120_000}, async () => {
  const {status, out} = await runInProcess([FUZZ], ['fuzz', '--kernels', '-n', '2']);
  expect(out).toMatch(/^protected +2 +\d+ +\d{3,} +\d+ +0$/mu);
  expect(out).toMatch(/^long +2 +\d+ +\d{3,} +\d+ +0$/mu);
  expect(status).toBe(0);
});

test('one of them is shown with its text', {timeout: 60_000}, async () => {
  const {out} = await runInProcess([FUZZ], ['fuzz', '--kernels', '--program', '2', '--seed', '9']);
  expect(out).toContain('page_fault:');
});

test('what means nothing for kernels is refused', async () => {
  const {status, notes} = await runInProcess([FUZZ], ['fuzz', '--kernels', '--mode', 'long']);
  expect([status, notes]).toEqual([2, expect.stringContaining('--mode is for programs')]);
});
