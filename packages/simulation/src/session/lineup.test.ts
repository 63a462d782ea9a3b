// Several machines under one playhead: each stands where the guest has come as far.

import {readFileSync} from 'node:fs';
import {beforeAll, expect, test} from 'vitest';
import type {LaneSummary} from '@hyperscope/trace';
import {SimulationHost} from '../simulation-host.js';
import {Lineup} from './lineup.js';
import {SHIPPED} from '../shipped.js';

const MACHINES = ['bare', 'trap-and-emulate', 'binary-translation', 'vtx-ept', 'svm-npt'];
const lineup = new Lineup();
let lanes: readonly LaneSummary[] = [];

beforeAll(() => {
  const host = new SimulationHost(SHIPPED);
  lanes = MACHINES.flatMap(technique => {
    const session = host.open({technique, guest: 'popf'});
    session.run(100_000);
    lineup.add(session);
    return [...lineup.compare()];
  });
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
    lanes.forEach((_, index) => {
      const {exits, runs} = lineup.strip(index, columns);
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
  while ((at = lineup.beside('exit', vtx, at, 'forward')) !== undefined) {
    const exits = lineup.at(at)[vtx]?.exits ?? 0;
    expect(exits).toBeGreaterThan(before);
    before = exits;
    met.push(at);
  }
  expect(before).toBe(lanes[vtx]?.exitCount);
  at = lineup.instructions;
  const back: number[] = [];
  while ((at = lineup.beside('exit', vtx, at, 'back')) !== undefined) back.push(at);
  expect(back.length).toBeGreaterThanOrEqual(met.length - 1);
  expect(lineup.beside('exit', 0, 0, 'forward')).toBeUndefined();
});

test('where a lane goes wrong is said as an instruction of the reference', () => {
  const [bare, ring1] = lanes;
  expect(bare?.wrongAt).toBeUndefined();
  const at = ring1?.wrongAt ?? -1;
  expect(at).toBeGreaterThanOrEqual(0);
  expect(lineup.at(at)[0]?.state).toBe(ring1?.wrongStep?.at.reference);
});

test('a machine alone stands where all of them together show it', () => {
  const all = lineup.at(40);
  MACHINES.forEach((_, lane) => expect(lineup.moment(lane, 40)).toEqual(all[lane]));
});

test('each reason for leaving the guest is told in words, and when it came first', () => {
  for (const lane of lanes)
    for (const {reason, words, firstAt, first} of lane.exits) {
      expect(words.length, reason).toBeGreaterThan(0);
      expect(lineup.at(firstAt ?? -1)[lanes.indexOf(lane)]?.state, reason).toBeGreaterThan(first);
    }
  const io = lanes[3]?.exits.find(({reason}) => reason === 'I/O instruction');
  expect(io?.words.join(' ')).toMatch(/executed out dx, al.*The check that decided/s);
});

test('from ring change to ring change of the reference, there and back', () => {
  const host = new SimulationHost(SHIPPED);
  const rings = new Lineup();
  const session = host.open({technique: 'bare', guest: 'rings'});
  session.run(100_000);
  rings.add(session);
  rings.compareNext();
  const met: number[] = [];
  for (let at: number | undefined = 0; at !== undefined; at = rings.beside('ring', 0, at, 'forward')) met.push(at);
  const back: number[] = [];
  for (let at = met.at(-1); at !== undefined; at = rings.beside('ring', 0, at, 'back')) back.push(at);
  expect(met.slice(1).map(at => rings.moment(0, at).cpl)).toContain(3);
  for (const at of met.slice(1)) expect(rings.moment(0, at).cpl).not.toBe(rings.moment(0, at - 1).cpl);
  expect(back.length).toBe(met.length);
  // It is in long mode from its first instruction to its last.
  expect(rings.beside('mode', 0, 0, 'forward')).toBeUndefined();
});

test('a lane keeps up with the reference also where translated code calls its VMM through a gate, and nothing traps', () => {
  const host = new SimulationHost(SHIPPED);
  const rings = new Lineup();
  for (const technique of ['bare', 'binary-translation']) {
    const session = host.open({technique, guest: 'rings'});
    session.run(100_000);
    rings.add(session);
    rings.compareNext();
  }
  const isProgram = (lane: number, at: number): boolean => rings.moment(lane, at).who === 'guest-user';
  const inProgram = Array.from({length: rings.instructions}, (_, at) => at).filter(at => isProgram(0, at));
  expect(inProgram).not.toEqual([]);
  for (const at of inProgram) expect(isProgram(1, at), `instruction ${at}`).toBe(true);
});

test('real KVM has printed as much as the reference wherever the playhead is, though nobody saw its instructions', async () => {
  const host = new SimulationHost(SHIPPED);
  const both = new Lineup();
  const session = host.open({technique: 'bare', guest: 'hello-kvm'});
  session.run(100_000);
  both.add(session);
  const recording = new URL('../../../guests/recordings/hello-kvm.kvm.hsr', import.meta.url);
  both.add(await host.openRecording(new Uint8Array(readFileSync(recording))));
  expect([...both.compare()].map(({verdict}) => verdict)).toEqual(['reference', 'right']);
  for (let at = 0; at <= both.instructions; at++) {
    const [bare, real] = both.at(at);
    expect(real?.serial, `instruction ${at}`).toBe(bare?.serial);
  }
});

test('a tenth machine is one too many', () => {
  const host = new SimulationHost(SHIPPED);
  const many = new Lineup();
  for (let i = 0; i < 9; i++) many.add(host.open({technique: 'bare', guest: 'popf'}));
  expect(() => many.add(host.open({technique: 'bare', guest: 'popf'}))).toThrow(/leave one out/);
});
