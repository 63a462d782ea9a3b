// What is said of hypercalls, of the page-table entries that they change, and of a hypervisor that calls its guest.

import type {HypervisorEvent} from '@hyperscope/vmm';
import {expect, test} from 'vitest';
import {isTraceEvent} from '../file/event-shape.js';
import {explainEvent} from './explain-event.js';
import {explainHostAction} from './explain-host-action.js';
import {labelEvent} from './label-event.js';

type Hypercall = Extract<HypervisorEvent, {kind: 'hypercall'}>;
const CHECK = {rule: 'the frame is pinned', holds: false, values: [['frame', '0x1000']], source: 'Xen'} as const;
const REFUSED: Hypercall = {
  kind: 'hypercall',
  number: 26,
  name: 'mmuext_op',
  args: [
    ['requests at', '0x9000'],
    ['count', '1'],
  ],
  checks: [CHECK],
  result: -22n,
  why: 'MMUEXT_UNPIN_TABLE of frame 0x1000 is refused; 0 of 1 operations were done before',
};
const UPDATE: HypervisorEvent = {
  kind: 'page-table-update',
  at: 0x100_9018,
  level: 1,
  from: 0n,
  to: 0x102_0067n,
  checks: [{...CHECK, rule: 'the machine frame belongs to the domain', holds: true}],
  error: undefined,
  position: [3, 8],
};
const CALLBACK: HypervisorEvent = {
  kind: 'guest-callback',
  cause: 'event',
  name: 'VIRQ_TIMER on port 1',
  address: 0x8100n,
  from: 'program',
  frame: [
    ['RCX', 1n],
    ['R11', 2n],
  ],
  why: 'evtchn_upcall_pending is 1 and evtchn_upcall_mask 0',
};

test('a refused hypercall tells what was asked, what failed, and what the guest gets', () => {
  const {title, sentences, checks, sources} = explainEvent(REFUSED);
  expect(title).toBe('Hypercall 26 mmuext_op is refused');
  expect(sentences).toEqual([
    'The guest’s kernel asks for mmuext_op (requests at 0x9000, count 1).',
    'MMUEXT_UNPIN_TABLE of frame 0x1000 is refused; 0 of 1 operations were done before.',
    'RAX gets -22.',
  ]);
  expect(checks).toMatchObject([{text: 'the frame is pinned (frame 0x1000)', holds: false, decided: true}]);
  expect(sources.join(' ')).toContain('xen/include/public/xen.h');
  expect(labelEvent(REFUSED)).toBe('hypercall 26 mmuext_op: refused');
});

test('a number that is no hypercall has no name, and iret no result', () => {
  const unknown = {...REFUSED, number: 63, name: undefined, args: [], result: -38n};
  expect(explainEvent(unknown).sentences[0]).toBe('The guest’s kernel asks for number 63.');
  expect(labelEvent(unknown)).toBe('hypercall 63: refused');
  const iret = {...REFUSED, number: 23, name: 'iret', result: undefined, checks: []};
  expect(explainEvent(iret).title).toBe('Hypercall 23 iret');
  expect(explainEvent(iret).sentences.at(-1)).toMatch(/^It does not return to its caller/);
});

test('an update is one request of a batch, in a table of its level; refused, nothing was written', () => {
  const {title, sentences} = explainEvent(UPDATE);
  expect(title).toBe('Xen changes the L1 entry at 0x1009018');
  expect(sentences[0]).toBe(
    'Request 3 of 8 in this hypercall: machine address 0x1009018, in an L1 page table, from 0x0 to 0x1020067.',
  );
  const refused = explainEvent({...UPDATE, error: 'EBUSY'});
  expect(refused.title).toBe('Xen refuses to change the L1 entry at 0x1009018');
  expect(refused.sentences[1]).toBe('A check failed, so nothing was written, and the hypercall ends with −EBUSY.');
  expect(labelEvent({...UPDATE, level: undefined})).toBe('the word at 0x1009018 ← 0x1020067');
});

test.each([
  ['event', 'An event has come for the guest'],
  ['trap', 'The exception is the guest’s own affair'],
  ['system-call', 'The program’s SYSCALL has come to Xen'],
] as const)('a call of the guest’s kernel tells why: %s', (cause, words) => {
  const {title, sentences} = explainEvent({...CALLBACK, cause});
  expect(title).toBe('Xen calls the guest’s kernel: VIRQ_TIMER on port 1');
  expect(sentences[0]).toContain(words);
  expect(sentences[2]).toBe('On the stack, lowest address first: RCX 0x1, R11 0x2.');
});

test('in a step of Xen’s the hypercall leads, and its last update follows', () => {
  const step = {
    kind: 'host-step',
    actor: 'hypervisor',
    routine: 'do_mmu_update',
    sentence: 'mmu_update: done',
  } as const;
  const told = explainHostAction('Step 9', [step, UPDATE, {...REFUSED, number: 1, name: 'mmu_update', result: 0n}]);
  expect(told?.title).toBe('Step 9 · Hypercall 1 mmu_update');
  expect(told?.sentences.at(-1)).toBe('In the same step: L1 entry at 0x1009018 ← 0x1020067.');
});

test('files carry them, with results below zero; what is no such event is refused', () => {
  for (const event of [REFUSED, UPDATE, CALLBACK]) expect(isTraceEvent(event)).toBe(true);
  expect(isTraceEvent({...REFUSED, result: '-22'})).toBe(false);
  expect(isTraceEvent({...UPDATE, position: [1]})).toBe(false);
  expect(isTraceEvent({...CALLBACK, frame: [['RCX', 1]]})).toBe(false);
});
