// The order of work, stopping, and where two machines change places, with a simulator of three lines: VT-x costs a hundred
// round trips, translation 200,000 cycles.

import {expect, test} from 'vitest';
import {ParadoxRun, type ParadoxState, type RemoteWorkloads} from './paradox-run.js';
import type {GenerationEntry, WorkloadRequest, WorkloadResult} from './workload-client.js';

const PRESCOTT: GenerationEntry = {
  id: 'prescott-2005',
  title: 'Prescott',
  roundTrip: 4000,
  vmmStep: 232,
  walkReference: 20,
  machines: ['binary-translation', 'vtx-shadow'],
};

function cyclesOf({technique, costs}: WorkloadRequest): number {
  const figure = (name: string, otherwise: number): number =>
    Number(costs.find(cost => cost.startsWith(`${name}=`))?.split('=')[1] ?? otherwise);
  if (technique === 'bare') return 100_000;
  if (technique === 'binary-translation') return 300_000;
  return 100_000 + 100 * (figure('vm-exit', 2000) + figure('vm-entry', 2000));
}

function fake(run?: (request: WorkloadRequest) => Promise<WorkloadResult>): RemoteWorkloads {
  return {
    generations: async () => Promise.resolve([PRESCOTT]),
    addMeasured: async text =>
      text === '{}' ? Promise.reject(new Error('These are no measurements.')) : Promise.resolve(PRESCOTT),
    workloads: async () => Promise.resolve([{id: 'mixed', title: 'mixed', what: 'both'}]),
    even: async () => Promise.resolve(0.05),
    run:
      run ??
      (async request =>
        Promise.resolve({
          cycles: cyclesOf(request),
          exits: request.technique === 'bare' ? 0 : 100,
          instructions: 50_000,
        })),
  };
}

test('a row has every machine beside native, and the one with the fewest cycles is marked when all have run', async () => {
  const states: ParadoxState[] = [];
  const run = new ParadoxRun(fake(), state => states.push(state));
  await run.load();
  await run.run(PRESCOTT, []);
  const last = states.at(-1);
  expect(last).toMatchObject({phase: 'done', done: 3, total: 3});
  expect(last?.rows[0]?.bars).toEqual([
    {machine: 'Translation', ratio: 3, exitsPerThousand: 2, isBest: true, isLine: true},
    {machine: 'VT-x, shadow', ratio: 5, exitsPerThousand: 2, isBest: false, isLine: false},
  ]);
  expect(
    states.some(({rows}) => rows[0]?.bars.some(({isBest}) => isBest) && rows[0].bars[1]?.ratio === undefined),
  ).toBe(false);
});

test('the place where they change is found by running, not assumed', async () => {
  let state: ParadoxState | undefined;
  const run = new ParadoxRun(fake(), next => (state = next));
  await run.load();
  await run.run(PRESCOTT, []);
  await run.findBreakEvens(PRESCOTT, []);
  const found = Number(/at ([\d,]+) cycles/.exec(state?.rows[0]?.breakEven ?? '')?.[1]?.replace(',', ''));
  expect(Math.abs(found - 2000)).toBeLessThanOrEqual(32);
});

test('what was stopped changes nothing any more', async () => {
  let state: ParadoxState | undefined;
  // In the middle of its first run somebody stops it.
  const run: ParadoxRun = new ParadoxRun(
    fake(async () => {
      run.stop();
      return Promise.resolve({cycles: 1, exits: 0, instructions: 1});
    }),
    next => (state = next),
  );
  await run.load();
  await run.run(PRESCOTT, []);
  expect(state).toMatchObject({phase: 'stopped', done: 0});
});

test('what goes wrong is told', async () => {
  let state: ParadoxState | undefined;
  const run = new ParadoxRun(
    fake(async () => Promise.reject(new Error('There is no such machine.'))),
    next => (state = next),
  );
  await run.load();
  await run.run(PRESCOTT, []);
  expect(state).toMatchObject({phase: 'failed', said: 'There is no such machine.'});
});

test('a measured machine can be chosen; what is no measurement is told', async () => {
  const states: ParadoxState[] = [];
  const run = new ParadoxRun(fake(), state => states.push(state));
  expect(await run.addMeasured('{"operations": []}')).toEqual(PRESCOTT);
  expect(states.at(-1)?.generations).toEqual([PRESCOTT]);
  expect(await run.addMeasured('{}')).toBeUndefined();
  expect(states.at(-1)?.said).toBe('These are no measurements.');
});
