// Several machines under one playhead: each stands where the guest has come as far.

import {beforeAll, expect, test} from 'vitest';
import type {LaneSummary} from '@hyperscope/trace';
import {SimulationHost} from '../simulation-host.js';
import {SHIPPED} from '../shipped.js';
import {Lineup} from './lineup.js';

const MACHINES = ['bare', 'trap-and-emulate', 'binary-translation', 'vtx-ept', 'svm-npt'];
const lineup = new Lineup();
let lanes: readonly LaneSummary[] = [];

beforeAll(() => {
  const host = new SimulationHost(SHIPPED);
  for (const technique of MACHINES) {
    const session = host.open({technique, guest: 'popf'});
    session.run(100_000);
    lineup.add(session);
  }
  lanes = [...lineup.compare()];
});

test('every machine has a lane, and only the one without a way around POPF is wrong', () => {
  expect(lanes.map(({header, verdict}) => [header.technique, verdict])).toEqual([
    ['bare', 'reference'],
    ['trap-and-emulate', 'wrong'],
    ['binary-translation', 'right'],
    ['vtx-ept', 'right'],
    ['svm-npt', 'right'],
  ]);
  expect(lineup.instructions).toBe(lanes[0]?.instructions);
});

test('at the end every lane has printed all of it, and has had all its exits', () => {
  const end = lineup.at(lineup.instructions);
  expect(end.map(({serial}) => serial)).toEqual(lanes.map(({serial}) => serial));
  expect(end.map(({exits}) => exits)).toEqual(lanes.map(({exitCount}) => exitCount));
  expect(end.map(({cycle}) => cycle)).toEqual(lanes.map(({cycles}) => cycles));
});

test('half way, right machines have printed the same; what they have counted never shrinks', () => {
  let before = lineup.at(0);
  for (let instruction = 1; instruction <= lineup.instructions; instruction += 3) {
    const now = lineup.at(instruction);
    now.forEach((lane, index) => {
      expect(lane.state).toBeGreaterThanOrEqual(before[index]?.state ?? 0);
      expect(lane.exits).toBeGreaterThanOrEqual(before[index]?.exits ?? 0);
      expect(lane.switches).toBeGreaterThanOrEqual(before[index]?.switches ?? 0);
    });
    before = now;
  }
  const [bare, , translated, vtx, svm] = lineup.at(Math.floor(lineup.instructions / 2));
  expect([translated?.serial, vtx?.serial, svm?.serial]).toEqual([bare?.serial, bare?.serial, bare?.serial]);
  expect(bare?.switches).toBe(0);
});

test('a picture of a lane counts every exit once, whatever its width', () => {
  for (const columns of [7, 64, 1000]) {
    const strips = lineup.strips(columns);
    strips.forEach(({exits, runs}, index) => {
      expect(runs.length).toBe(columns);
      const last = lineup.at(lineup.instructions)[index]?.exits;
      const first = lineup.at(0)[index]?.exits ?? 0;
      expect(exits.reduce((sum, count) => sum + count, first)).toBe(last);
    });
  }
});

test('from exit to exit, forward and back, every exit of a lane is met', () => {
  const vtx = 3;
  let at: number | undefined = 0;
  let before = lineup.at(0)[vtx]?.exits ?? 0;
  const met: number[] = [];
  while ((at = lineup.besideExit(vtx, at, 'forward')) !== undefined) {
    const exits = lineup.at(at)[vtx]?.exits ?? 0;
    expect(exits).toBeGreaterThan(before);
    before = exits;
    met.push(at);
  }
  expect(before).toBe(lanes[vtx]?.exitCount);
  at = lineup.instructions;
  const back: number[] = [];
  while ((at = lineup.besideExit(vtx, at, 'back')) !== undefined) back.push(at);
  expect(back.length).toBeGreaterThanOrEqual(met.length - 1);
  expect(lineup.besideExit(0, 0, 'forward')).toBeUndefined();
});

test('where a lane goes wrong is said as an instruction of the reference', () => {
  const [bare, ring1] = lanes;
  expect(bare?.wrongAt).toBeUndefined();
  const at = ring1?.wrongAt ?? -1;
  expect(at).toBeGreaterThanOrEqual(0);
  expect(lineup.at(at)[0]?.state).toBe(ring1?.wrongStep?.at.reference);
});

test('a tenth machine is one too many', () => {
  const host = new SimulationHost(SHIPPED);
  const many = new Lineup();
  for (let i = 0; i < 9; i++) many.add(host.open({technique: 'bare', guest: 'popf'}));
  expect(() => many.add(host.open({technique: 'bare', guest: 'popf'}))).toThrow(/leave one out/);
});
