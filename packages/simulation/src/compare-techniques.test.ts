// A guest on bare metal and under each hypervisor of KVM's kind: what it can see is the same, whoever holds its registers.

import {describe, expect, test} from 'vitest';
import {compareRecords} from '@hyperscope/trace';
import type {RunRecord} from '@hyperscope/trace';
import {guestCellsAt} from './session/guest-view.js';
import {SimulationHost} from './simulation-host.js';
import {SHIPPED} from './shipped.js';

function recorded(guest: string, technique: string): RunRecord {
  const session = new SimulationHost(SHIPPED).open({guest, technique});
  session.run(10_000);
  return session.record;
}

describe.each(['vtx-shadow', 'svm-shadow'])('on %s', {timeout: 120_000}, technique => {
  test.each(['hello-kvm', 'hello-real', 'rings', 'popf'])('%s: every difference is explained', guest => {
    const {events, unexplained} = compareRecords(recorded(guest, technique), recorded(guest, 'bare'), guestCellsAt);
    expect(events.length).toBeGreaterThan(0);
    expect(unexplained).toBe(0);
  });
});

test('without a view of the guest’s own registers, the hypervisor’s CR3 is taken for the guest’s', () => {
  const {differences} = compareRecords(recorded('rings', 'vtx-shadow'), recorded('rings', 'bare'));
  expect(differences.map(({what}) => what)).toContain('CR3');
});
