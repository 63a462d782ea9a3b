// Guests in translation: what they print on an ordinary processor, and that their records are exact: the guest's registers at
// every step, though the processor is in the translation cache, and every bank on the way back.

import {describe, expect, test} from 'vitest';
import {assertExists, recordOf} from '@hyperscope/base';
import {Playhead} from '@hyperscope/trace';
import {GUEST_CELLS, virtualGuestCells} from '@hyperscope/vmm';
import {NO_PORTS} from './session/session.js';
import {SimulationHost} from './simulation-host.js';
import {SHIPPED, loadGuest, requireGuest, requireTechnique} from './shipped.js';

const TECHNIQUE = 'binary-translation';
const open = (guest: string, steps: number) => {
  const session = new SimulationHost(SHIPPED).open({guest, technique: TECHNIQUE});
  session.run(steps);
  return session;
};
const start = (guest: string) => {
  const {image} = loadGuest(requireGuest(guest));
  return requireTechnique(TECHNIQUE).start({image, ports: NO_PORTS, profile: undefined, costModel: undefined});
};

describe.each(['popf', 'hello-kvm', 'hello-real', 'rings'])('%s', guest => {
  test('prints what it must, on a processor where POPF does not trap', () => {
    const run = start(guest);
    for (let step = 0; step < 50_000 && run.step().outcome === undefined; step++);
    const expected = requireGuest(guest).expectedSerial;
    expect(expected.length).toBeGreaterThan(0);
    expect(new TextDecoder().decode(run.serialOutput())).toBe(expected);
  });
});

test('POPF is wrong under trap-and-emulate on the same processor', () => {
  const {image} = loadGuest(requireGuest('popf'));
  const options = {image, ports: NO_PORTS, profile: undefined, costModel: undefined};
  const run = requireTechnique('trap-and-emulate').start(options);
  for (let step = 0; step < 50_000 && run.step().outcome === undefined; step++);
  expect(new TextDecoder().decode(run.serialOutput())).not.toBe(requireGuest('popf').expectedSerial);
});

describe('the record', () => {
  const session = open('rings', 2000);
  const {record} = session;

  test('explains translations, and names the instructions of the cache', () => {
    const titles = Array.from({length: record.length - 1}, (_, step) => session.seek(step + 1).why.title).join('\n');
    const [first] = [...record.events.allOf('translation')];
    const {rip} = assertExists(first, 'a translation').event;
    expect(titles).toContain(`The VMM translates the block at 0x${rip.toString(16)}`);
    expect(titles).not.toContain('the instruction at');
  });

  test('says of each instruction of the cache which of the guest’s it stands for', () => {
    let told = 0;
    for (let step = 0; step < record.length; step++) {
      if (record.columns.who(step) !== 'guest-kernel' || record.columns.kind(step) !== 'instruction') continue;
      const sentences = session.seek(step + 1).why.sentences.join(' ');
      expect([step, sentences]).toEqual([
        step,
        expect.stringMatching(/In the translation cache, for the guest’s .* at 0x/u),
      ]);
      told++;
    }
    expect(told).toBeGreaterThan(20);
  });

  test('shows the guest’s registers as the run itself gives them, at every step', () => {
    const run = start('rings');
    const playhead = new Playhead(record);
    for (let step = 0; step < record.length; step++) {
      playhead.seek(step);
      const registers = assertExists(playhead.bank('registers'), 'the registers');
      const cells = new BigUint64Array(registers.slice().buffer);
      const read = virtualGuestCells(
        cell => cells[record.header.cells.indexOf(cell)] ?? 0n,
        assertExists(playhead.bank('memory'), 'the memory'),
      );
      expect([step, recordOf(GUEST_CELLS, read)]).toEqual([step, run.guestRegisters()]);
      run.step();
    }
  });

  test.each([
    ['rings', 2000, 7],
    ['mini-os', 12_000, 1501],
  ] as const)('of %s restores every bank exactly, backward', (guest, steps, stride) => {
    const recorded = open(guest, steps).record;
    const run = start(guest);
    const states = new Map<number, readonly Uint8Array[]>();
    for (let step = 0; step < recorded.length; step++) {
      if (step % stride === 0)
        states.set(
          step,
          run.banks.map(({bytes}) => bytes.slice()),
        );
      run.step();
    }
    const playhead = new Playhead(recorded);
    playhead.seek(recorded.length);
    for (const [step, banks] of [...states].toReversed()) {
      playhead.seek(step);
      for (const [index, {name}] of run.banks.entries())
        expect(Buffer.compare(playhead.bank(name) ?? new Uint8Array(), banks[index] ?? new Uint8Array()), name).toBe(0);
    }
  });
});
