import {expect, test} from 'vitest';
import type {Step, TraceEvent} from '../record-format.js';
import {explainStep} from './explain-step.js';
import {textContext} from './step-context.js';

const STEP: Step = {index: 9, who: 'guest-user', kind: 'delivery', rip: 0x4000_007cn, length: 0, cycle: 0};
const DELIVERY: TraceEvent = {
  kind: 'delivery',
  vector: 32,
  from: 3,
  to: 0,
  handler: 0x7d72n,
  stackSwitched: true,
};
const RING: TraceEvent = {kind: 'ring', how: 'event delivery', from: 3, to: 0};

test('an interrupt is told as one: nothing that the program did, and where it will go on', () => {
  const {title, sentences} = explainStep(STEP, [RING, DELIVERY]);
  expect(title).toBe('Step 10 · interrupt 32, between two instructions of the guest program');
  expect(sentences.join(' ')).toMatch(/comes from outside.*gate 32.*IRET will go on at 0x4000007c/s);
});

test('an interrupt that ends a HLT says so', () => {
  const context = {...textContext(''), before: (name: string) => (name === 'ACTIVITY' ? 1n : 0n)};
  const {title, sentences} = explainStep({...STEP, who: 'guest-kernel'}, [{...DELIVERY, from: 0}], context);
  expect(title).toContain('HLT is over');
  expect(sentences[0]).toContain('wakes the processor');
});

test('a non-maskable interrupt does not ask IF', () => {
  expect(explainStep(STEP, [{...DELIVERY, vector: 2}]).sentences.join(' ')).not.toContain('RFLAGS.IF');
});

test('an exception is not told as an interrupt', () => {
  const fault: TraceEvent = {kind: 'exception', vector: 14, errorCode: 6, address: 0n, checks: []};
  expect(explainStep(STEP, [fault, {...DELIVERY, vector: 14}]).title).not.toContain('between two instructions');
});
