// The guest kernel mini-os: what it prints does not depend on what runs it, and its record is exact across interrupts.

import {createHash} from 'node:crypto';
import {describe, expect, test} from 'vitest';
import {assertExists} from '@hyperscope/base';
import {Playhead, writeRecord} from '@hyperscope/trace';
import type {RunRecord} from '@hyperscope/trace';
import {PC_TECHNIQUES} from '@hyperscope/vmm';
import {NO_PORTS} from './session/session.js';
import {SimulationHost} from './simulation-host.js';
import {SHIPPED, loadGuest, requireGuest, requireTechnique} from './shipped.js';

const host = new SimulationHost(SHIPPED);
const GUEST = requireGuest('mini-os');
const STEPS = 1_000_000;

/** The processor on which a technique runs it as it is: without hardware for it, one where everything sensitive traps. */
const processorFor = (technique: string): string | undefined =>
  technique === 'trap-and-emulate' ? 'westmere,+strict' : undefined;

function recorded(technique: string): RunRecord {
  const session = host.open({guest: GUEST.id, technique, profile: processorFor(technique)});
  session.run(STEPS);
  return session.record;
}
/** What the guest sent to its serial port. */
const printed = (record: RunRecord): string =>
  String.fromCharCode(...[...record.events.allOf('serial')].map(({event}) => event.byte));

/** Steps in which the timer's interrupt reached a program. */
const preemptions = (record: RunRecord): readonly number[] =>
  [...record.events.allOf('delivery')]
    .filter(({event}) => event.vector === 0x20 && event.from === 3)
    .map(({step}) => step);

describe('mini-os', {timeout: 120_000}, () => {
  test.each(PC_TECHNIQUES.map(({id}) => id))('prints what it must on %s, and is preempted', technique => {
    const record = recorded(technique);
    expect(printed(record)).toBe(GUEST.expectedSerial);
    expect(preemptions(record).length).toBeGreaterThanOrEqual(4);
  });

  test('a program is shown with its lines of the source, though its page is not at the address it was assembled for', () => {
    const session = host.open({guest: GUEST.id, technique: 'bare'});
    const program = 0x4000_0000n;
    session.run(2000);
    const first = Array.from({length: session.record.length}, (_, step) => step).find(
      step => session.record.columns.who(step) === 'guest-user',
    );
    const {code} = session.seek(assertExists(first, 'a program runs within 2000 steps'));
    const line = code.find(({address}) => address === program)?.sourceLine ?? 0;
    expect(GUEST.source.split('\n')[line - 1]).toContain('xor r12d, r12d');
  });

  test('code of a mode that is still to come is shown as the source means it', () => {
    const session = host.open({guest: GUEST.id, technique: 'bare'});
    const {code} = session.step('forward', 'mode');
    const texts = code.map(({address, text}) => `${address.toString(16)} ${text}`);
    expect(texts).toContain('7c12 jmp 0x8:0x7c17'); // 16 bits
    expect(texts).toContain('7c17 mov ax, 0x18'); // 32 bits; as 16-bit code the same bytes are MOV EAX, and all after it garbage
    expect(texts).toContain('7c27 mov eax, 0xb000');
  });

  test('two runs give the same bytes', async () => {
    const digest = async (): Promise<string> =>
      createHash('sha256')
        .update(await writeRecord(recorded('bare')))
        .digest('hex');
    expect(await digest()).toBe(await digest());
  });

  test('stepping back over a timer interrupt restores the state exactly, and forward again', () => {
    const record = recorded('bare');
    const at = assertExists(preemptions(record)[1], 'the timer strikes twice');
    const {image} = loadGuest(GUEST);
    const run = requireTechnique('bare').start({image, ports: NO_PORTS, profile: undefined, costModel: undefined});
    const state = (): string => {
      const hash = createHash('sha256');
      for (const {bytes} of run.banks) hash.update(bytes);
      return hash.digest('hex');
    };
    const playhead = new Playhead(record);
    const seen = (index: number): string => {
      playhead.seek(index);
      const hash = createHash('sha256');
      for (const {name} of run.banks) hash.update(assertExists(playhead.bank(name), `a record has the bank ${name}`));
      return hash.digest('hex');
    };
    for (let step = 0; step < at; step++) run.step();
    const before = state();
    expect(run.step().kind).toBe('delivery');
    const after = state();
    expect([seen(at + 1), seen(at), seen(at + 1)]).toEqual([after, before, after]);
    expect(before).not.toBe(after);
  });
});
