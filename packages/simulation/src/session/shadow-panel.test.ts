// Shadow paging as a page shows it: two walks of one address, counts that go back with the playhead, and sentences.

import {createHash} from 'node:crypto';
import {assertExists} from '@hyperscope/base';
import {describe, expect, test} from 'vitest';
import {readRecord, writeRecord} from '@hyperscope/trace';
import type {Moment} from '@hyperscope/trace';
import {SimulationHost} from '../simulation-host.js';
import {PlaybackSession} from './playback-session.js';
import type {Session} from './session.js';
import {SHIPPED} from '../shipped.js';

const host = new SimulationHost(SHIPPED);

function recorded(technique: string): Session {
  const session = host.open({guest: 'mini-os', technique});
  session.run(30_000);
  return session;
}
/** The last moment in which the shadow MMU did something. */
function momentWith(session: Session, action: string): Moment {
  const found = [...session.record.events.allOf('shadow-paging')].findLast(({event}) => event.action === action);
  return session.seek(assertExists(found, `an event ${action}`).step + 1);
}

test.each(['bare', 'vtx-ept'])('%s has no shadow to show', technique => {
  expect(host.open({guest: 'hello-kvm', technique}).seek(200).shadow).toBeUndefined();
});

test('a file whose pool of shadow pages lies nowhere, or holds rubbish, shows no shadow', async () => {
  const session = recorded('vtx-shadow');
  const file = await readRecord(await writeRecord(session.record));
  for (const shadowPool of [
    {start: 0, end: 2 ** 40},
    {start: 1, end: 0x80_0001},
    {start: 0x80_0000, end: 0x10_0000},
    {start: 0x100_0000, end: 0x110_0000},
    {start: 0x1000, end: 0x80_1000},
  ]) {
    Object.assign(file.header, {shadowPool});
    const shown = new PlaybackSession(file).seek(5000).shadow;
    expect(shown?.shadow.length ?? 0).toBeLessThanOrEqual(4);
  }
});

describe.each(['vtx-shadow', 'svm-shadow', 'trap-and-emulate'])('on %s', {timeout: 120_000}, technique => {
  const session = recorded(technique);

  test('after a hidden fault both walks lead to the same page, the shadow’s to host-physical memory', () => {
    const {shadow, why, header} = momentWith(session, 'hidden-fault');
    expect(shadow?.guestPhysical).toBeDefined();
    const extent = header.guestMemory?.find(
      ({gpa, length}) => (shadow?.guestPhysical ?? -1) >= gpa && (shadow?.guestPhysical ?? -1) < gpa + length,
    );
    expect(shadow?.hostPhysical).toBe((extent?.offset ?? 0) + (shadow?.guestPhysical ?? 0) - (extent?.gpa ?? 0));
    expect(why.title).toContain('Hidden page fault');
    expect(why.sentences.join(' ')).toContain('the guest never learns of the fault');
  });

  test('the counts are those of the moment, not of the end', () => {
    const end = session.seek(session.record.length).shadow?.statistics.hiddenFaults ?? 0;
    expect(end).toBeGreaterThan(5);
    const first = [...session.record.events.allOf('shadow-paging')].find(({event}) => event.action === 'hidden-fault');
    expect(session.seek((first?.step ?? 0) + 1).shadow?.statistics.hiddenFaults).toBe(1);
    const told = [...session.record.events.allOf('shadow-paging')].filter(({event}) => event.action === 'hidden-fault');
    expect(told).toHaveLength(end);
  });

  test('stepping back takes back what the shadow MMU knows, byte for byte', () => {
    const wandering = host.open({guest: 'hello-kvm', technique});
    const digest = (): readonly string[] =>
      wandering.driver.run.banks.map(({bytes}) => createHash('sha1').update(bytes).digest('hex'));
    const states = new Map<number, readonly string[]>();
    while (!wandering.record.finished) {
      wandering.driver.advance();
      const {length} = wandering.record;
      if (wandering.record.eventsOf(length - 1).some(({kind}) => kind === 'shadow-paging'))
        states.set(length, digest());
    }
    expect(states.size).toBeGreaterThan(5);
    for (const [index, state] of [...states].toReversed().concat([...states])) {
      wandering.seek(index);
      expect(digest()).toEqual(state);
    }
  });

  test('a file shows the same', async () => {
    const played = new PlaybackSession(await readRecord(await writeRecord(session.record)));
    const {index, shadow} = momentWith(session, 'true-fault');
    expect(played.seek(index).shadow).toEqual(shadow);
  });
});
