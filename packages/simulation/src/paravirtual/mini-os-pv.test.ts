// mini-os-pv, the port: it prints what mini-os prints, its records are exact over hypercalls and events, and each hypercall has its
// sentences.

import {createHash} from 'node:crypto';
import {assertExists} from '@hyperscope/base';
import {Playhead, explainEvent, labelEvent, readRecord, writeRecord} from '@hyperscope/trace';
import type {RunRecord} from '@hyperscope/trace';
import {describe, expect, test} from 'vitest';
import {NO_PORTS} from '../session/session.js';
import type {Session} from '../session/session.js';
import {SimulationHost} from '../simulation-host.js';
import {SHIPPED, loadGuest, requireGuest, requireTechnique} from '../shipped.js';

const GUEST = requireGuest('mini-os-pv');
const host = new SimulationHost(SHIPPED);
const STEPS = 1_000_000;
/** The hypercalls that it makes. */
const USED = (
  'update_va_mapping set_trap_table mmu_update mmuext_op console_io callback_op ' +
  'event_channel_op set_timer_op sched_op stack_switch iret'
).split(' ');

function finished(): Session {
  const session = host.open({guest: GUEST.id, technique: 'paravirtual'});
  session.run(STEPS);
  return session;
}
const session = finished();
const {record} = session;

const digestOf = (banks: readonly Uint8Array[]): string => {
  const hash = createHash('sha256');
  for (const bytes of banks) hash.update(bytes);
  return hash.digest('hex');
};
const fileOf = async (of: RunRecord): Promise<string> => digestOf([await writeRecord(of)]);

describe('mini-os-pv', {timeout: 60_000}, () => {
  test('prints what mini-os prints, and is preempted', () => {
    expect(session.moment().serial).toBe(requireGuest('mini-os').expectedSerial);
    const lost = [...record.events.allOf('guest-callback')].filter(
      ({event}) => event.cause === 'event' && event.from === 'program',
    );
    expect(lost.length).toBeGreaterThanOrEqual(6);
  });

  test('two runs give the same bytes, and a file is read back with all that it tells', async () => {
    const file = await writeRecord(record);
    expect(digestOf([file])).toBe(await fileOf(finished().record));
    const again = await readRecord(file);
    for (const kind of ['hypercall', 'page-table-update', 'guest-callback'] as const)
      expect([...again.events.allOf(kind)]).toEqual([...record.events.allOf(kind)]);
  });

  test('stepping back over a hypercall, an update and an event restores the state exactly, and forward again', () => {
    const last = (kind: 'guest-callback' | 'hypercall' | 'page-table-update'): number =>
      assertExists(
        [...record.events.allOf(kind)].findLast(({step}) => step < 20_000)?.step,
        `${kind} early in the run`,
      );
    const steps = [last('page-table-update'), last('hypercall'), last('guest-callback')].sort((a, b) => a - b);
    const {image} = loadGuest(GUEST);
    const run = requireTechnique('paravirtual').start({
      image,
      ports: NO_PORTS,
      profile: undefined,
      costModel: undefined,
    });
    const playhead = new Playhead(record);
    const seen = (index: number): string => {
      playhead.seek(index);
      return digestOf(run.banks.map(({name}) => assertExists(playhead.bank(name), `a record has the bank ${name}`)));
    };
    let at = 0;
    for (const step of steps) {
      for (; at < step; at++) run.step();
      const before = digestOf(run.banks.map(({bytes}) => bytes));
      run.step();
      at++;
      const after = digestOf(run.banks.map(({bytes}) => bytes));
      expect([seen(step + 1), seen(step), seen(step + 1)]).toEqual([after, before, after]);
      expect(before).not.toBe(after);
    }
  });

  test('each hypercall that it makes has a name, its arguments, a reason and a result in words', () => {
    const calls = [...record.events.allOf('hypercall')].map(({event}) => event);
    expect(new Set(calls.map(({name}) => name))).toEqual(new Set(USED));
    for (const call of calls) {
      const {title, sentences, sources} = explainEvent(call);
      expect(title).toBe(`Hypercall ${call.number} ${call.name}`);
      expect(labelEvent(call)).toBe(`hypercall ${call.number} ${call.name}`);
      expect(sentences).toHaveLength(3);
      expect(sentences.join(' ')).not.toMatch(/undefined|NaN|\.\./);
      expect(sources[0] ?? '').not.toBe('');
      expect(call.result ?? 0n).toBe(0n);
    }
  });

  test('its tables go to Xen in one hypercall, and each of the twelve requests tells what was looked at', () => {
    const updates = [...record.events.allOf('page-table-update')].map(({event}) => event);
    const batch = updates.filter(({position: [, count]}) => count === 12);
    expect(batch).toHaveLength(12);
    expect(batch.every(({error, checks}) => error === undefined && checks.length > 0)).toBe(true);
    expect([...record.events.allOf('hypercall')].filter(({event}) => event.name === 'mmu_update')).toHaveLength(3);
    expect(explainEvent(assertExists(batch[0], 'a first request')).sentences[0]).toMatch(
      /^Request 1 of 12 in this hypercall/,
    );
  });

  test('the program that reads the kernel finds no page: its root has none, and the processor says so', () => {
    const faults = [...record.events.allOf('exception')].filter(({event}) => event.address === 0x7c00n);
    expect(faults.map(({event}) => event.errorCode)).toEqual([4]);
  });

  test('its lines of source, its registers and its memory are shown while Xen runs, too', () => {
    const {step} = assertExists([...record.events.allOf('guest-callback')][2], 'a third callback');
    const {code, strip, why, cpl} = session.seek(step + 1);
    expect(cpl).toBe(0);
    expect(why.title).toContain('Xen calls the guest’s kernel');
    expect(code.some(({sourceLine}) => (sourceLine ?? 0) > 0)).toBe(true);
    expect(strip.map(({label}) => label)).toContain('kernel root');
  });

  test('who has the processor is known at the frontier, too: in ring 3 by the root, in ring 0 it is Xen', () => {
    const slow = host.open({guest: GUEST.id, technique: 'paravirtual'});
    const seen = [1480, 1481, 1482, 1483, 1490].map(step => slow.seek(step).who);
    expect(seen).toEqual([1480, 1481, 1482, 1483, 1490].map(step => record.columns.who(step)));
    expect(new Set(seen)).toContain('hypervisor');
  });

  test('on a processor without VMX, by the figures of 2005, it prints the same', () => {
    const early = host.open({guest: GUEST.id, technique: 'paravirtual', profile: 'prescott'});
    early.run(STEPS);
    expect(early.moment().serial).toBe(GUEST.expectedSerial);
  });
});

test('an unported guest on paravirtual and the port elsewhere are refused, each with the other’s name', () => {
  expect(() => host.open({guest: 'mini-os', technique: 'paravirtual'})).toThrow(/Run mini-os-pv, which is its port/);
  expect(() => host.open({guest: 'popf', technique: 'paravirtual'})).toThrow(
    /there is mini-os-pv, the port of mini-os/,
  );
  expect(() => host.open({guest: 'mini-os-pv', technique: 'vtx-ept'})).toThrow(/Run it on paravirtual, or mini-os/);
  expect(() => host.open({guest: 'tiny-vmx', technique: 'paravirtual'})).toThrow(/Run it on bare/);
});
