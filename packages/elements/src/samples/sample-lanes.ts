// A comparison as a page has it half way: compared, wrong, running, waiting, absent.

import type {LaneReason, LaneSummary} from '@hyperscope/trace';
import type {ComparedLane, LanePicture} from '../lineup/lane-picture.js';
import {SampleSession} from './sample-session.js';

const {header} = new SampleSession().moment();

const summary = (change: Partial<LaneSummary>): LaneSummary => ({
  name: 'bare, simulated',
  header,
  verdict: 'reference',
  sentence: 'What the others are compared with.',
  steps: 80,
  outcome: 'The guest halted.',
  serial: 'IF 0\nPOPF 1\n',
  instructions: 100,
  cycles: 18_199,
  exits: [],
  exitCount: 0,
  wrongStep: undefined,
  wrongAt: undefined,
  ...change,
});

/** Why a guest was left, as a table has it. */
export const SAMPLE_REASONS: readonly LaneReason[] = [
  {
    reason: 'I/O instruction',
    count: 3,
    cycles: 900,
    shortest: 200,
    longest: 400,
    first: 5,
    instruction: 'out dx, al',
    words: ['The guest kernel executed out dx, al at 0x803a.', 'VM exit, reason 30: I/O instruction.'],
    firstAt: 4,
  },
  {
    reason: 'HLT',
    count: 1,
    cycles: 100,
    shortest: 100,
    longest: 100,
    first: 9,
    instruction: 'hlt',
    words: ['The guest kernel executed hlt at 0x8050.'],
    firstAt: undefined,
  },
];

const bare: ComparedLane = {
  id: 'bare',
  title: 'Bare',
  host: 'none',
  kind: 'compared',
  summary: summary({}),
  strip: {runs: Uint8Array.of(0, 0, 1, 1, 1, 1, 0, 0, 0, 0), exits: new Uint32Array(10)},
  moment: {
    state: 30,
    cycle: 4000,
    exits: 0,
    switches: 0,
    who: 'guest-kernel',
    cpl: 0,
    operation: 'none',
    title: 'Step 30 · pushfq',
    sentence: 'The guest kernel ran pushfq.',
    serial: '',
  },
};

const wrong: ComparedLane = {
  ...bare,
  id: 'trap-and-emulate',
  title: 'Trap & emulate',
  host: 'software',
  summary: summary({verdict: 'wrong', sentence: 'It prints something else.', exitCount: 16, wrongAt: 20}),
  strip: {runs: bare.strip?.runs ?? new Uint8Array(10), exits: Uint32Array.of(0, 9, 1, 0, 0, 2, 0, 0, 4, 0)},
  moment: bare.moment && {...bare.moment, exits: 3, switches: 5, who: 'hypervisor'},
};

export const SAMPLE_LANES: readonly LanePicture[] = [
  bare,
  wrong,
  {id: 'vtx-ept', title: 'VT-x EPT', host: 'hardware', kind: 'running', standing: 'running, 1,200 steps so far'},
  {id: 'svm-npt', title: 'SVM NPT', host: 'hardware', kind: 'waiting'},
  {id: 'kvm', title: 'Real KVM', host: 'hardware', kind: 'absent', why: 'This server has no KVM.'},
];
