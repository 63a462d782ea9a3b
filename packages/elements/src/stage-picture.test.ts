// The stage in SVM's words: a host and a guest mode, #VMEXIT and VMRUN. VT-x keeps its own.

import {assertExists} from '@hyperscope/base';
import {expect, test} from 'vitest';
import type {Moment, TraceEvent} from '@hyperscope/trace';
import {SampleSession} from './samples/index.js';
import {actorName} from './actors.js';
import {placeName, stagePicture} from './stage-picture.js';

const SAMPLE = new SampleSession().seek(5);
const exit = assertExists(
  SAMPLE.events.find((event): event is Extract<TraceEvent, {kind: 'vm-exit'}> => event.kind === 'vm-exit'),
  'step 5 of the sample is an exit',
).exit;

const onSvm = (code: number, info1: bigint, info2: bigint): Moment => ({
  ...SAMPLE,
  header: {...SAMPLE.header, technique: 'svm-npt'},
  events: [{kind: 'vm-exit', exit: {...exit, reason: code, svm: {code, info1, info2}}}],
});

test('an exit of SVM is a #VMEXIT from guest mode to the host', () => {
  const picture = stagePicture(onSvm(0x7b, 0x3f8_0010n, 0n), 'hardware', []);
  const moved = assertExists(picture.transition, 'an exit moves the processor');
  expect(moved.name).toBe('#VMEXIT · 7Bh I/O instruction');
  expect([placeName(moved.from, picture.unit), placeName(moved.to, picture.unit)]).toEqual([
    'guest mode, ring 0',
    'the host, ring 0',
  ]);
});

test('a nested page fault shows its address on the arrow’s card', () => {
  const moved = stagePicture(onSvm(0x400, 4n, 0x1000n), 'hardware', []).transition;
  expect(moved?.name).toBe('#VMEXIT · 400h nested page fault');
  expect(moved?.reason).toContain('guest-physical address');
});

test('an exit of VT-x goes from non-root to root operation', () => {
  const picture = stagePicture(SAMPLE, 'hardware', []);
  expect(picture.transition?.name).toBe('VM exit · 30 I/O instruction');
  expect(placeName(picture.here, picture.unit)).toBe('VMX root operation, ring 0');
});

test('where no hardware keeps the guest apart there is one set of rings, and what is in ring 0 is a VMM', () => {
  const deprivileged = {...SAMPLE, operation: 'none', who: 'hypervisor', cpl: 0} as const;
  const picture = stagePicture(deprivileged, 'software', []);
  expect([picture.hypervised, picture.here]).toEqual([false, {operation: 'none', ring: 0}]);
  expect(actorName('hypervisor', 'software')).toBe('VMM');
  expect(stagePicture({...deprivileged, who: 'guest-kernel', cpl: 3}, 'software', []).here.ring).toBe(3);
});
