// The order of work, and what is asked of the worker: with a lineup of four instructions that counts its calls.

import type {LaneMoment, LaneSummary} from '@hyperscope/trace';
import {expect, test} from 'vitest';
import {LineupRun, type LineupState, type LineupSurroundings, type RemoteLineup} from './lineup-run.js';
import type {PlannedLane} from './planned-lanes.js';

const LENGTH = 4;

const summary = (technique: string): LaneSummary => ({
  name: technique,
  header: {
    format: 'hyperscope-record',
    version: 1,
    engine: 'simulated',
    technique,
    guest: {id: 'popf', title: 'POPF', sha256: '', loadAddress: 0x8000, bytes: 1},
    banks: [],
    cells: [],
    machine: undefined,
    host: undefined,
  },
  verdict: technique === 'bare' ? 'reference' : technique === 'trap-and-emulate' ? 'wrong' : 'right',
  sentence: '',
  steps: 10,
  outcome: '',
  serial: '',
  instructions: LENGTH,
  cycles: 1,
  exits: [],
  exitCount: 0,
  wrongStep: undefined,
  wrongAt: technique === 'trap-and-emulate' ? 2 : undefined,
});
const moment = (state: number): LaneMoment => ({
  state,
  cycle: state,
  exits: 0,
  switches: 0,
  who: 'guest-kernel',
  cpl: 0,
  operation: 'none',
  title: '',
  sentence: '',
  serial: '',
});

/** A lineup whose machines end after 20,000 steps; those called 'endless' do not. */
function fake(calls: string[]): RemoteLineup {
  const added: string[] = [];
  let compared = 0;
  let length = 0;
  const note = <T>(call: string, answer: T): Promise<T> => {
    calls.push(call);
    return Promise.resolve(answer);
  };
  return {
    add: async ({technique}) => {
      if (technique === 'refuses') throw new Error('This machine has no such guest.');
      added.push(technique);
      length = 0;
      await note(`add ${technique}`, undefined);
    },
    addRecord: async bytes => {
      if (bytes.length === 0) throw new Error('This is no record.');
      added.push('kvm');
      await note('add record', undefined);
    },
    extend: async steps => {
      length += steps;
      return Promise.resolve({length, finished: added.at(-1) !== 'endless' && length >= 20_000});
    },
    compareNext: async () => note('compare', summary(added[compared++] ?? '')),
    instructions: async () => Promise.resolve(LENGTH),
    at: async instruction =>
      note(
        `at ${instruction}`,
        added.slice(0, compared).map(() => moment(instruction)),
      ),
    moment: async (lane, instruction) => note(`moment ${lane} at ${instruction}`, moment(instruction)),
    strip: async lane => note(`strip ${lane}`, {runs: new Uint8Array(1), exits: new Uint32Array(1)}),
    beside: async (stop, lane, instruction, direction) =>
      note(`${stop} ${lane}`, direction === 'forward' ? instruction + 1 : instruction - 1),
  };
}

const lane = (id: string): PlannedLane => ({id, title: id, host: 'hardware', kind: 'machine'});
const KVM: PlannedLane = {id: 'kvm', title: 'Real KVM', host: 'hardware', kind: 'real'};

function lineup(
  calls: string[],
  real: LineupSurroundings['realRecord'] = async () => Promise.resolve({why: 'none here'}),
) {
  const states: LineupState[] = [];
  let ended = 0;
  const run = new LineupRun({
    start: async () => Promise.resolve({client: fake(calls), end: () => ended++}),
    realRecord: real,
    motion: () => 'full',
    changed: state => states.push(state),
  });
  return {run, states, ends: () => ended};
}
const OF = {guest: 'popf', edited: undefined, switches: {}};
const kinds = ({lanes}: LineupState): readonly string[] => lanes.map(each => `${each.id} ${each.kind}`);

test('each machine is compared as soon as it has run, and only its own picture and moment are asked for', async () => {
  const calls: string[] = [];
  const {run} = lineup(calls);
  await run.start(OF, [lane('bare'), lane('vtx-ept'), KVM], {instruction: 3, chosen: 'vtx-ept'});
  expect(calls).toEqual([
    'add bare',
    'compare',
    'strip 0',
    'moment 0 at 3',
    'add vtx-ept',
    'compare',
    'strip 1',
    'moment 1 at 3',
  ]);
  expect(kinds(run.state)).toEqual(['bare compared', 'vtx-ept compared', 'kvm absent']);
  expect(run.state).toMatchObject({instruction: 3, instructions: LENGTH, chosen: 'vtx-ept', standing: undefined});
});

test('a machine that refuses, an absent one and a damaged recording say why, and the others go on', async () => {
  const {run} = lineup([], async () => Promise.resolve({bytes: new Uint8Array(0), note: 'A recording.'}));
  const absent: PlannedLane = {id: 'paravirtual', title: 'PV', host: 'software', kind: 'absent', why: 'not ported'};
  await run.start(OF, [lane('refuses'), absent, lane('bare'), KVM]);
  expect(kinds(run.state)).toEqual(['refuses absent', 'paravirtual absent', 'bare compared', 'kvm absent']);
  expect(run.state.lanes.map(each => (each.kind === 'absent' ? each.why : ''))).toEqual([
    'This machine has no such guest.',
    'not ported',
    '',
    'This is no record.',
  ]);
  expect(run.state.trouble).toBeUndefined();
});

test('a run that goes on and on is compared as far as it was recorded, and says so', async () => {
  const {run} = lineup([]);
  await run.start(OF, [lane('bare'), lane('endless')]);
  const [, endless] = run.state.lanes;
  expect(endless).toMatchObject({kind: 'compared', cut: 'cut short'});
  expect(endless?.kind === 'compared' ? endless.note : '').toContain('400,000 steps');
});

test('stopping keeps what is compared; the rest says that it was not', async () => {
  const {run, states} = lineup([]);
  const going = run.start(OF, [lane('bare'), lane('vtx-ept'), KVM]);
  while (states.at(-1)?.lanes[0]?.kind !== 'compared') await Promise.resolve();
  run.stop();
  await going;
  expect(kinds(run.state)).toEqual(['bare compared', 'vtx-ept absent', 'kvm absent']);
  run.go(2);
  await expect.poll(() => run.state.instruction).toBe(2);
});

test('closing ends the worker, and nothing is told any more', async () => {
  const {run, states, ends} = lineup([]);
  await run.start(OF, [lane('bare')]);
  run.end();
  const told = states.length;
  run.choose('bare');
  run.go(1);
  expect(ends()).toBe(1);
  expect(states.length).toBe(told);
});

test('rings and modes are the first machine’s; exits anybody’s where the chosen one has none', async () => {
  const calls: string[] = [];
  const {run} = lineup(calls);
  await run.start(OF, [lane('bare'), lane('vtx-ept')]);
  calls.length = 0;
  await run.goBeside('ring', 'forward');
  await expect.poll(() => run.state.instruction).toBe(1);
  await run.goBeside('exit', 'back');
  expect(calls).toEqual(['ring 0', 'at 1', 'exit 0', 'exit 1', 'at 0']);
});

test('where a machine goes wrong is gone to from both sides; else to the ends', async () => {
  const {run} = lineup([]);
  await run.start(OF, [lane('bare'), lane('trap-and-emulate')]);
  const places: (number | string)[] = [];
  for (const direction of ['forward', 'forward', 'back', 'back'] as const) {
    run.goWrong(direction);
    await expect.poll(() => run.state.instruction).not.toBe(places.at(-2) ?? 0);
    places.push(run.state.instruction, run.state.chosen);
  }
  expect(places).toEqual([
    2,
    'trap-and-emulate',
    LENGTH,
    'trap-and-emulate',
    2,
    'trap-and-emulate',
    0,
    'trap-and-emulate',
  ]);
});
