// Two single-user systems under one control program: what they print, whatever the quantum; where they go wrong on an ordinary
// processor; and that the record of such a run is exact across every change of hands.

import {createHash} from 'node:crypto';
import {describe, expect, test} from 'vitest';
import {assertExists} from '@hyperscope/base';
import {CMS_GUESTS} from '@hyperscope/guests';
import {Playhead, readRecord, writeRecord} from '@hyperscope/trace';
import {ControlProgramRun, TECHNIQUES} from '@hyperscope/vmm';
import {runToResult} from './run/run-to-result.js';
import type {FinishedRun, RunRequest} from './run/run-to-result.js';
import {NO_PORTS} from './session/session.js';
import {SimulationHost} from './simulation-host.js';
import {SHIPPED, loadGuest, requireGuest, requireTechnique} from './shipped.js';

function finished(id: string, technique: string, more: Partial<RunRequest> = {}): FinishedRun {
  const guest = requireGuest(id);
  const image = loadGuest(guest);
  return runToResult({
    technique: requireTechnique(technique),
    image,
    guest: {id, title: guest.title, bytes: image.assembly.bytes},
    clock: {now: () => 0},
    maxInstructions: 200_000,
    ...more,
  });
}
const consoles = ({result}: Pick<FinishedRun, 'result'>): Readonly<Record<string, string>> =>
  Object.fromEntries((result.virtualMachines ?? []).map(({name, serial}) => [name, serial]));
const expected = (id: string): Readonly<Record<string, string>> =>
  assertExists(requireGuest(id).controlProgram, `${id} under a control program`).expectedConsoles;

describe('under a control program', () => {
  test.each([3000, 50_000, 10_000_000])('two users print the same with slices of %d cycles', quantum => {
    const run = finished('cms-punch', 'control-program', {sharing: {quantum}});
    expect(consoles(run)).toEqual(expected('cms-punch'));
    expect(run.result).toMatchObject({outcome: 'halted', message: 'All virtual machines have come to their ends.'});
  });

  test('weights change who is done first, and not what is printed', () => {
    const run = finished('cms-punch', 'control-program', {sharing: {quantum: 3000, weights: {CMS1: 1, CMS2: 50}}});
    expect(consoles(run)).toEqual(expected('cms-punch'));
  });

  test('a third and a fourth user compute beside them, and disturb nobody', () => {
    const {result} = finished('cms-four', 'control-program');
    expect(consoles({result})).toEqual(expected('cms-four'));
    expect(consoles({result})).toMatchObject(expected('cms-punch'));
    const shares = assertExists(result.virtualMachines, 'machines').map(({share}) => share);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 10);
  });

  test('what is printed comes line by line, with the name of its user', () => {
    const chunks: string[] = [];
    const onProgress: RunRequest['onProgress'] = (_, printed) => void chunks.push(new TextDecoder().decode(printed));
    finished('cms-punch', 'control-program', {onProgress});
    const lines = chunks.join('').trimEnd().split('\n');
    for (const [name, text] of Object.entries(expected('cms-punch')))
      expect(lines.filter(line => line.startsWith(`${name}: `)).map(line => line.slice(name.length + 2))).toEqual(
        text.trimEnd().split('\n'),
      );
  });
});

// Each of them is written for a machine of its own, and is right there, too.
test.each(
  TECHNIQUES.filter(({id, kernels}) => id !== 'control-program' && kernels === undefined).flatMap(({id}) =>
    CMS_GUESTS.filter(guest => id === 'bare' || guest.id === 'cms-punch').map(guest => [guest.id, id] as const),
  ),
)('%s alone, on %s, says that there is no control program', (id, technique) => {
  const profile = technique === 'trap-and-emulate' ? 'westmere,+strict' : undefined;
  expect(new TextDecoder().decode(finished(id, technique, {profile}).serial)).toBe(requireGuest(id).expectedSerial);
});

describe('its switches', () => {
  test('make the slices shorter', () => {
    const dispatches = (quantum: string): number => {
      const session = new SimulationHost(SHIPPED).open({
        guest: 'cms-count',
        technique: 'control-program',
        switches: {quantum},
      });
      session.run(3000);
      return assertExists(session.driver.run.virtualMachines?.[0], 'the user').account().dispatches;
    };
    expect(dispatches('5000')).toBeGreaterThan(dispatches('50000'));
  });
});

describe('on an ordinary processor', () => {
  const session = new SimulationHost(SHIPPED).open({
    guest: 'cms-punch',
    technique: 'control-program',
    switches: {sensitive: 'x86'},
  });
  session.run(60_000);

  test('both sleep for ever: POPF has not switched their virtual interrupts on, and nobody was told', () => {
    const {virtualMachines, outcome} = session.moment();
    expect(outcome).toBe('All virtual machines have come to their ends.');
    const [one, two] = assertExists(virtualMachines, 'machines').consoles;
    // The ring is the first thing that is wrong: MOV AX, CS shows the real one.
    expect(one?.text).toBe('supervisor state, ring 1\nuser CMS1\nPUN FILE 0001 TO CMS2\n');
    expect(two?.text).toBe('supervisor state, ring 1\nuser CMS2\n');
  });

  test('the POPF before the last HLT was executed in ring 1, trapped nowhere, and left the virtual IF as it was', () => {
    const {record} = session;
    const end = assertExists(
      Array.from(record.steps()).find(({index}) =>
        record.eventsOf(index).some(event => event.kind === 'control-program' && event.what === 'end'),
      ),
      'the end of a user',
    );
    expect(record.eventsOf(end.index)).toContainEqual(
      expect.objectContaining({sentence: expect.stringContaining('virtual IF = 0, a disabled wait')}),
    );
    const texts = Array.from({length: 40}, (_, back) => end.index - back)
      .map(index => ({index, title: session.seek(index + 1).why.title, who: record.step(index)?.who}))
      .filter(({title}) => title.includes('popf'));
    expect(texts.map(({who}) => who)).toEqual(['guest-kernel']);
    const popf = assertExists(texts[0], 'the POPF').index;
    expect(record.eventsOf(popf).filter(({kind}) => kind === 'exception')).toEqual([]);
  });
});

describe('the record', () => {
  const open = () => new SimulationHost(SHIPPED).open({guest: 'cms-punch', technique: 'control-program'});
  const session = open();
  session.run(40_000);
  const {record} = session;

  test('is of a run that ended, and the same when it is made again', () => {
    expect(record.finished).toBe(true);
    const again = open();
    again.run(40_000);
    expect(again.record.length).toBe(record.length);
    expect(Buffer.compare(again.record.changes.bytes.toBytes(), record.changes.bytes.toBytes())).toBe(0);
  });

  test('restores every bank exactly, backward over dispatches, traps and decks', () => {
    const {image} = loadGuest(requireGuest('cms-punch'));
    const run = new ControlProgramRun({image, ports: NO_PORTS, profile: undefined, costModel: undefined});
    const digest = (bytes: (name: string) => Uint8Array): string => {
      const hash = createHash('sha256');
      for (const {name} of run.banks) hash.update(bytes(name));
      return hash.digest('hex');
    };
    const changesOfHands = Array.from(record.steps())
      .filter(({index}) => record.eventsOf(index).some(({kind}) => kind === 'control-program'))
      .map(({index}) => index);
    const wanted = new Set(changesOfHands.filter((_, index) => index % 5 === 0));
    const banks = new Map(run.banks.map(({name, bytes}) => [name, bytes]));
    const live: (readonly [number, string])[] = [];
    for (let step = 0; step < record.length; step++) {
      if (wanted.has(step)) live.push([step, digest(name => assertExists(banks.get(name), name))]);
      run.step();
    }
    expect(live.length).toBeGreaterThan(5);
    const playhead = new Playhead(record);
    for (const [step, before] of live.reverse()) {
      playhead.seek(step);
      expect([step, digest(name => assertExists(playhead.bank(name), name))]).toEqual([step, before]);
    }
  });

  test('tells at every step whose it is, and shows that one’s registers, code and console', () => {
    const hands = Array.from(record.steps()).filter(({index}) =>
      record.eventsOf(index).some(event => event.kind === 'control-program' && event.what === 'dispatch'),
    );
    for (const {index} of hands.slice(0, 12)) {
      const told = assertExists(
        record.eventsOf(index).find(event => event.kind === 'control-program' && event.what === 'dispatch'),
        'a dispatch',
      );
      const moment = session.seek(index + 1);
      const name = 'machine' in told ? told.machine : '';
      expect(moment.virtualMachines?.current).toBe(name);
      expect(moment.strip[0]).toEqual({label: 'virtual machine', value: name});
      expect(['CMS1', 'CMS2'][record.step(index + 1)?.machine ?? 0]).toBe(name);
      expect(moment.why.title).toContain(`${name} gets the processor`);
    }
    const ends = session.seek(record.length);
    expect(Object.fromEntries((ends.virtualMachines?.consoles ?? []).map(({name, text}) => [name, text]))).toEqual(
      expected('cms-punch'),
    );
    expect(session.seek(0).virtualMachines?.consoles.map(({text}) => text)).toEqual(['', '']);
  });

  const groupsOf = async () => {
    const looked = await session.inspect({panel: 'statistics'});
    return looked.panel === 'statistics' ? (looked.content?.groups ?? []) : [];
  };

  test('shows the devices of the one that runs, and the account of each', async () => {
    const punched = Array.from(record.steps()).filter(({index}) =>
      record.eventsOf(index).some(event => event.kind === 'port' && event.port === 0xd01),
    );
    const first = assertExists(punched[0], 'a card that is punched');
    session.seek(first.index);
    const looked = await session.inspect({panel: 'devices'});
    const devices = looked.panel === 'devices' ? (looked.content ?? []) : [];
    expect(devices).toContainEqual(
      expect.objectContaining({
        title: 'Virtual card punch',
        rows: expect.arrayContaining([expect.objectContaining({name: 'card', value: '“PRIMES BELOW 200”'})]),
      }),
    );
    expect(devices.filter(({name}) => name === 'uart').length).toBe(1);

    session.seek(record.length);
    const groups = await groupsOf();
    const live = assertExists(session.driver.run.virtualMachines, 'machines');
    for (const machine of live) {
      const group = assertExists(
        groups.find(({title}) => title === `Account of ${machine.name}`),
        machine.name,
      );
      const shown = new Map(group.counters.map(counter => [counter.name, counter.value]));
      expect([shown.get('own cycles'), shown.get('dispatches'), shown.get('DIAGNOSEs')]).toEqual([
        machine.account().virtualCycles,
        machine.account().dispatches,
        machine.account().calls,
      ]);
    }
    session.seek(0);
    expect(
      (await groupsOf()).filter(({title}) => title.startsWith('Account')).flatMap(({counters}) => counters),
    ).toSatisfy((counters: readonly {readonly value: number}[]) => counters.every(({value}) => value === 0));
  });

  test('goes through a file, with its virtual machines', async () => {
    const read = await readRecord(await writeRecord(record));
    expect(read.header.virtualMachines?.map(({name}) => name)).toEqual(['CMS1', 'CMS2']);
    expect(read.header).toEqual(JSON.parse(JSON.stringify(record.header)));
    for (const index of [1, 1000, record.length - 1]) expect(read.step(index)).toEqual(record.step(index));
    const ofSecond = Array.from(read.steps()).filter(({machine}) => machine === 1);
    expect(ofSecond.length).toBeGreaterThan(1000);
  });

  test('tells of calls and decks in sentences', () => {
    const acts = Array.from(record.steps()).flatMap(({index}) =>
      record.eventsOf(index).flatMap(event => (event.kind === 'control-program' ? [event] : [])),
    );
    expect(acts.filter(({what}) => what === 'spool').map(({machine, sentence}) => [machine, sentence])).toEqual([
      ['CMS1', expect.stringContaining('3 cards, is taken out of the punch of CMS1 and put into the reader of CMS2')],
      ['CMS2', expect.stringContaining('2 cards, is taken out of the punch of CMS2 and put into the reader of CMS1')],
    ]);
    expect(acts.filter(({what}) => what === 'diagnose').length).toBe(11);
    expect(new Set(acts.map(({what}) => what))).toEqual(
      new Set(['dispatch', 'slice-end', 'diagnose', 'spool', 'wait', 'wake', 'end']),
    );
  });
});
