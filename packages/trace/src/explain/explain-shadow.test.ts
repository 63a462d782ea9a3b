// What is said of the shadow MMU's decisions: the one that matters first, the others after it, each with its reason.

import {expect, test} from 'vitest';
import type {ShadowEvent} from '@hyperscope/vmm';
import type {TraceEvent} from '../record-format.js';
import {explainHostAction} from './explain-host-action.js';
import {labelEvent} from './label-event.js';

const shadow = (action: ShadowEvent['action'], more: Partial<ShadowEvent> = {}): ShadowEvent => ({
  kind: 'shadow-paging',
  action,
  linear: undefined,
  gpa: undefined,
  entry: undefined,
  why: `the reason for ${action}`,
  ...more,
});
const STEP: TraceEvent = {
  kind: 'host-step',
  actor: 'hypervisor',
  routine: 'kvm_mmu_page_fault',
  sentence: 'read at 0x5000 by the user',
};

test('a fault is what a step is about; what it brought about follows in order, with the entries that changed', () => {
  const told = explainHostAction('Step 7', [
    STEP,
    shadow('set-accessed'),
    shadow('map', {entry: {at: 0x49_0070, level: 1, from: 0n, to: 0x100_e021n}}),
    shadow('hidden-fault', {linear: 0x5000n}),
  ]);
  expect(told?.title).toBe('Step 7 · Hidden page fault: the shadow is mended');
  expect(told?.sentences).toEqual([
    'Read at 0x5000 by the user.',
    'The reason for hidden-fault.',
    'The reason for set-accessed.',
    'The reason for map (shadow entry of level 1 at HPA 0x490070: 0x0 → 0x100e021).',
  ]);
  expect(told?.sources.join(' ')).toContain('Adams');
});

test('a true fault outranks the entry that it drops', () => {
  const told = explainHostAction('Step 7', [STEP, shadow('zap'), shadow('true-fault')]);
  expect(told?.title).toContain('True page fault');
});

test('a storm is counted, not recited', () => {
  const zaps = Array.from({length: 20}, () => shadow('zap'));
  const told = explainHostAction('Step 7', [STEP, shadow('sync'), ...zaps]);
  expect(told?.sentences).toHaveLength(11);
  expect(told?.sentences.at(-1)).toBe('12 more decisions of the shadow MMU.');
});

test.each([
  [shadow('hidden-fault', {linear: 0x40_0000n, gpa: 0x9000}), 'hidden fault · 0x400000'],
  [shadow('write-protect', {gpa: 0x9000}), 'write protect · GPA 0x9000'],
  [shadow('pool-empty'), 'pool empty'],
] as const)('a mark says what and where', (event, label) => {
  expect(labelEvent(event)).toBe(label);
});
