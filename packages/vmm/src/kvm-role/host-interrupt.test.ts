// One interrupt of the host's at each of the four places: out of the guest by an exit, or through the host's IDT without one. The
// guest never learns of it.

import {exitReasonName} from '@hyperscope/isa';
import {describe, expect, test} from 'vitest';
import {listing} from '../conformance/listing.js';
import {startImage} from '../conformance/start-state.js';
import {TEST_PORTS, runToEnd} from '../testing/run-guest.js';
import type {AnyEvent} from '../testing/run-guest.js';
import {TECHNIQUES} from '../techniques.js';
import type {InterruptedActor} from './host-interrupt.js';

// mov dx, 3f8h / mov al, 'H' / out dx, al / cli / hlt
const code = listing('66 ba f8 03 b0 48 ee fa f4');
const image = startImage({title: '', expect: {}, mode: 'protected', code});

function interrupted(id: string, hostInterrupt: InterruptedActor | undefined) {
  const technique = TECHNIQUES.find(each => each.id === id);
  if (technique === undefined) throw new Error(`no technique ${id}`);
  const run = technique.start({image, ports: TEST_PORTS, profile: undefined, costModel: undefined, hostInterrupt});
  const {events, outcome} = runToEnd(run);
  return {events, outcome, printed: Buffer.from(run.serialOutput()).toString()};
}
const exits = (events: readonly AnyEvent[]): readonly string[] =>
  events.flatMap(event => (event.kind === 'vm-exit' ? [exitReasonName(event.exit.reason)] : []));
const steps = (events: readonly AnyEvent[]): string =>
  events.flatMap(event => (event.kind === 'host-step' ? [event.sentence] : [])).join('\n');

describe.each(['vtx-ept', 'svm-npt'])('%s', id => {
  test.each(['guest-kernel', 'hypervisor', 'vmm'] as const)('%s is interrupted, and the guest prints the same', who => {
    const {outcome, printed, events} = interrupted(id, who);
    expect([outcome, printed]).toEqual([{kind: 'halted'}, 'H']);
    expect(steps(events)).toContain(
      who === 'guest-kernel' ? 'a network card of the host’s' : 'the network card’s handler runs',
    );
  });

  test('without the switch nothing of it happens', () =>
    expect(steps(interrupted(id, undefined).events)).not.toContain('network card'));
});

test('only in the guest does the interrupt make an exit, and with the guest’s IF = 0 as well', () => {
  expect(exits(interrupted('vtx-ept', 'guest-kernel').events)).toContain('EXTERNAL_INTERRUPT');
  for (const who of ['hypervisor', 'vmm'] as const)
    expect(exits(interrupted('vtx-ept', who).events)).not.toContain('EXTERNAL_INTERRUPT');
});

test('out of QEMU it goes to ring 0 and back to ring 3, out of KVM it stays in ring 0', () => {
  const rings = (who: InterruptedActor): readonly string[] =>
    interrupted('vtx-ept', who).events.flatMap(event =>
      event.kind === 'ring' && !event.how.startsWith('SYS') ? [`${event.how} ${event.from} ${event.to}`] : [],
    );
  expect(rings('vmm')).toEqual([expect.stringMatching(/ 3 0$/), 'IRET 0 3']);
  expect(rings('hypervisor')).toEqual([]);
});
