// What the user-space VMM may forget, and what KVM_RUN returns for besides VM exits.

import {labelEvent} from '@hyperscope/trace';
import type {Switches, TraceEvent} from '@hyperscope/trace';
import {describe, expect, test} from 'vitest';
import type {Session} from '../session/session.js';
import {SHIPPED} from '../shipped.js';
import {SimulationHost} from '../simulation-host.js';

const host = new SimulationHost(SHIPPED);

function run(guest: string, technique: string, switches: Switches = {}): Session {
  const session = host.open({guest, technique, switches});
  session.run(60_000);
  return session;
}
const printed = (session: Session): string => session.printed(session.record.length);
const eventsOf = ({record}: Session): readonly TraceEvent[] =>
  Array.from({length: record.length}, (_, step) => record.eventsOf(step)).flat();
const kvmExits = (session: Session): readonly string[] =>
  eventsOf(session).flatMap(event => (event.kind === 'kvm-exit' ? [labelEvent(event)] : []));
/** RIP before each instruction that the guest executed. */
const executed = ({record}: Session): readonly bigint[] =>
  Array.from({length: record.length}, (_, step) => step).flatMap(step =>
    record.columns.instructionLength(step) > 0 && record.columns.who(step).startsWith('guest')
      ? [record.columns.rip(step)]
      : [],
  );

const TECHNIQUES = ['vtx-ept', 'vtx-shadow', 'svm-npt', 'svm-shadow'] as const;

test.each(TECHNIQUES)('%s: with a signal pending the first KVM_RUN returns without a VM entry', technique => {
  const session = run('hello-kvm', technique, {signal: 'first-run'});
  const kinds = eventsOf(session).filter(({kind}) => ['ioctl', 'kvm-exit', 'vm-entry', 'vm-exit'].includes(kind));
  const runs = kinds.findIndex(event => event.kind === 'ioctl' && event.name === 'KVM_RUN');
  expect(kinds.slice(runs, runs + 4)).toEqual([
    expect.objectContaining({name: 'KVM_RUN', direction: 'call'}),
    expect.objectContaining({name: 'KVM_RUN', direction: 'return', result: '−EINTR'}),
    expect.objectContaining({kind: 'kvm-exit', exit: {reason: 'interrupted'}}),
    expect.objectContaining({name: 'KVM_RUN', direction: 'call'}),
  ]);
  expect(printed(session)).toBe(printed(run('hello-kvm', technique)));
});

describe('single-stepping by KVM_SET_GUEST_DEBUG', () => {
  test.each(['vtx-ept', 'vtx-shadow'])(
    '%s: the addresses that user space is told are those of bare metal',
    technique => {
      const bare = executed(run('hello-kvm', 'bare'));
      const stepped = run('hello-kvm', technique, {'guest-debug': 'single-step'});
      const told = eventsOf(stepped).flatMap(event =>
        event.kind === 'kvm-exit' && event.exit.reason === 'debug' ? [event.exit.pc] : [],
      );
      // Each tells where the next instruction is; HLT is told as HLT.
      expect(told).toEqual(bare.slice(1));
      expect(printed(stepped)).toBe('Hi\n=\n');
    },
  );

  test('the guest that is not stepped is told nothing', () => {
    expect(kvmExits(run('hello-kvm', 'vtx-ept')).some(label => label.includes('DEBUG'))).toBe(false);
  });
});

describe.each(['vtx-ept', 'svm-npt'])('%s', technique => {
  // In real mode there is nothing to fetch. With paging it is the table that is not there: #PF, whose gate is not there either.
  test.each([
    ['hello-real', 'KVM_EXIT_INTERNAL_ERROR'],
    ['hello-kvm', 'KVM_EXIT_SHUTDOWN'],
  ])('without a memory region %s does not come to its first instruction', (guest, exit) => {
    const session = run(guest, technique, {'memory-region': 'off'});
    expect(executed(session)).toEqual([]);
    expect(session.record.finished).toBe(true);
    expect(kvmExits(session)).toEqual([exit]);
  });
});

test.each(['vtx-shadow', 'svm-shadow'])(
  '%s: without a memory region KVM_RUN fails, as real KVM without TDP does',
  technique => {
    const session = run('hello-real', technique, {'memory-region': 'off'});
    expect(executed(session)).toEqual([]);
    expect(kvmExits(session)).toEqual([]);
    expect(session.record.outcome).toContain('ENOSPC');
  },
);

test.each(TECHNIQUES)(
  '%s: without registers the vCPU begins at the reset vector, where there is no memory',
  technique => {
    const session = run('hello-kvm', technique, {'vcpu-registers': 'off'});
    expect(executed(session)).toEqual([]);
    expect(kvmExits(session)).toEqual(['KVM_EXIT_INTERNAL_ERROR']);
    expect(session.record.outcome).toContain('0xfffffff0');
  },
);
