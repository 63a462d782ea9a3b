import {createHash} from 'node:crypto';
import {describe, expect, test} from 'vitest';
import {writeRecord} from '@hyperscope/trace';
import {SimulationHost} from '../simulation-host.js';
import {PlaybackSession} from './playback-session.js';
import type {Session} from './session.js';
import {SHIPPED} from '../shipped.js';

const host = new SimulationHost(SHIPPED);
const digest = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('hex');
/** The whole state of the machine, bank by bank, as digests. */
const snapshot = (session: Session): readonly string[] => session.driver.run.banks.map(bank => digest(bank.bytes));
const fileOf = async (session: Session): Promise<string> => digest(await writeRecord(session.record));

function finished(guest: string, technique: string): Session {
  const session = host.open({guest, technique});
  session.run(200_000);
  return session;
}

describe.each(['bare', 'vtx-ept', 'vtx-shadow'])('on %s', {timeout: 60_000}, technique => {
  const guests = host.guests().filter(({needs}) => needs === undefined || needs.technique === technique);
  test.each(guests.map(guest => [guest.id, guest.expectedSerial] as const))(
    '%s prints what it must and ends as it should',
    (id, expected) => {
      const moment = finished(id, technique).moment();
      const off = expected.endsWith('power off\n');
      expect(moment.outcome).toBe(
        off ? 'The guest switched the machine off.' : 'The guest halted with nothing that could wake it.',
      );
      expect(moment.serial).toBe(expected);
    },
  );

  test('any moment of hello-kvm that is gone back to is bit-identical to what it was', () => {
    const session = host.open({guest: 'hello-kvm', technique});
    const states: (readonly string[])[] = [snapshot(session)];
    while (!session.record.finished) {
      session.driver.advance();
      states.push(snapshot(session));
    }
    const last = states.length - 1;
    for (const index of [last, 0, 1, Math.floor(last / 2), 3, last - 1, last]) {
      session.seek(index);
      expect(snapshot(session)).toEqual(states[index]);
    }
  });

  test('a run that was gone back in and forth goes on as if nothing had happened', async () => {
    const [straight, wandering] = [
      host.open({guest: 'hello-real', technique}),
      host.open({guest: 'hello-real', technique}),
    ];
    straight.run(200_000);
    while (!wandering.moment().finished) {
      const here = wandering.run(7).index;
      wandering.seek(Math.max(0, here - 5));
      wandering.step('back', 'exit');
    }
    wandering.seek(wandering.record.length);
    expect(await fileOf(wandering)).toBe(await fileOf(straight));
  });

  test('two runs of the same guest give the same file, byte for byte', async () => {
    expect(await fileOf(finished('rings', technique))).toBe(await fileOf(finished('rings', technique)));
  });

  test('a file plays exactly the moments of the session that wrote it', async () => {
    const session = finished('hello-kvm', technique);
    const played = await host.openRecording(await writeRecord(session.record));
    expect(played).toBeInstanceOf(PlaybackSession);
    for (const index of [0, 1, 5, Math.floor(session.record.length / 2), session.record.length]) {
      expect(played.seek(index)).toEqual(session.seek(index));
    }
    expect(played.exits()).toEqual(session.exits());
  });
});

describe('stepping hello-kvm on VT-x with EPT', {timeout: 60_000}, () => {
  test('by exits stops after each one, forwards and backwards at the same places', () => {
    const session = host.open({guest: 'hello-kvm', technique: 'vtx-ept'});
    const forwards: number[] = [];
    for (;;) {
      const moment = session.step('forward', 'exit');
      if (!moment.events.some(event => event.kind === 'vm-exit' || event.kind === 'kvm-exit')) break;
      forwards.push(moment.index);
    }
    const backwards: number[] = [];
    for (let moment = session.step('back', 'exit'); moment.index > 0; moment = session.step('back', 'exit'))
      backwards.unshift(moment.index);
    expect(backwards).toEqual(forwards);
    expect(forwards.length).toBeGreaterThan(10);
  });

  test('shows why the first OUT left the guest, and where the guest stands', () => {
    const session = host.open({guest: 'hello-kvm', technique: 'vtx-ept'});
    let moment = session.moment();
    while (!moment.events.some(event => event.kind === 'vm-exit' && event.exit.reason === 30))
      moment = session.step('forward', 'exit');
    expect(moment.why.title.toLowerCase()).toContain('out dx, al left the guest');
    expect(moment.operation).toBe('root');
    expect(moment.why.checks.at(-1)?.decided).toBe(true);
    expect(moment.vmcs.find(row => row.name === 'EXIT_REASON')?.value).toBe('30 I/O instruction');
    const current = moment.code.find(line => line.address === (moment.last?.rip ?? 0n));
    expect(current?.bytes).toBe('EE');
    expect(current?.chips.map(chip => chip.label)).toContain('exits');
    expect(current?.sourceLine).toBeDefined();
    expect(moment.strip.map(item => item.label)).toEqual(['CR3 (real)', 'guest CR3', 'EPTP', 'current VMCS']);
  });
});

test.each(['vtx-ept', 'trap-and-emulate', 'binary-translation', 'control-program'])(
  'on %s a fresh session knows where the guest begins, and says the same when more is recorded',
  technique => {
    const session = host.open({guest: 'hello-kvm', technique});
    const {start} = session;
    expect(start).toBeGreaterThan(0);
    expect(session.record.step(start)?.who).toMatch(/^guest-/);
    session.run(5000);
    expect(session.start).toBe(start);
  },
);
