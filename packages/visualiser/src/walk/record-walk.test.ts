// Walks are what the machine did: a stretch is the same states as stepping gives, and a scenario stands at its places.

import {SHIPPED as SHELF, SimulationHost, openScenarioRun, scenarioRunOf} from '@hyperscope/simulation';
import type {RunChoice} from '@hyperscope/trace';
import {SHIPPED, requireScenario} from '@hyperscope/walkthroughs';
import {findPlace} from '@hyperscope/walkthroughs/finding';
import {expect, test} from 'vitest';
import {MOST_STOPS, recordScenario, recordStretch, type WalkClient, type WalkSurroundings} from './record-walk.js';

const host = new SimulationHost(SHELF);
const popf = {technique: 'trap-and-emulate', guest: 'popf'};

/** The simulator without a worker around it. */
function simulator(): WalkClient {
  let run = openScenarioRun(host, popf);
  let opened: RunChoice = popf;
  return {
    addImage: async (name, bytes) => host.addImage(name, bytes),
    catalogue: () => ({guests: [], techniques: host.techniques()}),
    costs: () => undefined,
    extend: steps => {
      run.extend(steps);
      const {length, finished, outcome} = run.record;
      return {length, finished, outcome, size: run.session.time.size()};
    },
    findPlace: (place, here) => findPlace(scenarioRunOf(host, run.session, opened), place, here),
    open: choice => {
      opened = choice;
      run = openScenarioRun(host, choice);
      return run.session.moment();
    },
    seek: index => run.session.seek(index),
    source: () => undefined,
    step: (direction, granularity) => run.session.step(direction, granularity),
    timeline: (from, to, columns) => run.session.timeline(from, to, columns),
    questions: async () => Promise.reject(new Error('nothing is drawn here')),
  };
}

const around = (signal = new AbortController().signal): WalkSurroundings => ({
  client: simulator(),
  progress: () => undefined,
  signal,
  link: 'https://example.org/lab/#v1',
});

test('a stretch is the states that stepping gives, with what changed in between', async () => {
  const walk = await recordStretch({choice: popf, from: 19, stops: 4, granularity: 'instruction'}, around());
  const run = openScenarioRun(host, popf).session;
  const indices = [run.seek(19).index];
  for (let step = 0; step < 3; step++) indices.push(run.step('forward', 'instruction').index);
  expect(walk.stops.map(({moment}) => moment.index)).toEqual(indices);
  // PUSHF moves the stack pointer by eight, and RIP by its one byte.
  const [, pushfq] = walk.stops;
  const moved = Object.fromEntries(pushfq?.changes.map(({name, before, after}) => [name, after - before]) ?? []);
  expect(pushfq?.title).toContain('pushfq');
  expect(moved).toMatchObject({RSP: -8n, RIP: 1n});
  expect(walk.stops[0]?.changes).toEqual([]);
});

test('a stretch ends with the run, and is never longer than can be looked at', async () => {
  const end = openScenarioRun(host, popf).session;
  end.driver.advanceBy(5000);
  const {length} = end.record;
  const short = await recordStretch({choice: popf, from: length - 1, stops: 9, granularity: 'instruction'}, around());
  expect(short.stops.map(({moment}) => moment.index)).toEqual([length - 1, length]);
  const long = await recordStretch({choice: popf, from: 0, stops: 1000, granularity: 'instruction'}, around());
  expect(long.stops.length).toBe(MOST_STOPS);
});

test('a scenario’s stops are its places, on each machine that it is on', async () => {
  const read = requireScenario(SHIPPED.find(({name}) => name === 'd6-popf.md')?.text ?? '', 'd6-popf.md');
  const scenario = {...read, seeded: []};
  const walk = await recordScenario(scenario, 1, around());
  // The first stop is where the guest begins; each step on this machine is looked for from the one before it.
  const run = openScenarioRun(host, scenario.choice);
  const [first, ...later] = walk.stops;
  expect(first?.moment.who).toBe('guest-kernel');
  let here = first?.moment.index ?? 0;
  const elsewhere = scenario.steps.findIndex(({technique}) => technique !== undefined);
  for (const [at, {place}] of scenario.steps.slice(1, elsewhere).entries()) {
    const found = findPlace(run, place, here);
    here = found.ok ? found.index : -1;
    expect(later[at]?.moment.index).toBe(here);
  }
  expect(new Set(walk.stops.map(({machine}) => machine)).size).toBeGreaterThan(1);
  expect(walk.stops.map(({printed}) => printed).join('')).toContain('IF 1');
  expect(walk.questions).toEqual(scenario.questions);
  expect(walk.stops.some(({asked}) => asked.length > 0)).toBe(true);
});

test('who cancels waits for nothing', async () => {
  const work = new AbortController();
  const never: WalkSurroundings = {
    ...around(work.signal),
    client: {...simulator(), open: async () => new Promise(() => undefined)},
  };
  const walk = recordStretch({choice: popf, from: 0, stops: 3, granularity: 'exit'}, never);
  setTimeout(() => work.abort(), 10);
  await expect(walk).rejects.toThrow();
});
