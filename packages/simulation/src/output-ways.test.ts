// The guest output-ways: the same text by every way that a machine has, and what each way costs in exits.

import {describe, expect, test} from 'vitest';
import {PC_TECHNIQUES} from '@hyperscope/vmm';
import {SimulationHost} from './simulation-host.js';
import {SHIPPED, requireGuest} from './shipped.js';

const host = new SimulationHost(SHIPPED);
const GUEST = requireGuest('output-ways');
const STEPS = 400_000;

describe.each(PC_TECHNIQUES.map(({id}) => id))('output-ways on %s', technique => {
  test('prints the text twice on the serial port', () => {
    const session = host.open({guest: GUEST.id, technique});
    session.run(STEPS);
    const printed = [...session.record.events.allOf('serial')].map(({event}) => event.byte);
    expect(String.fromCharCode(...printed)).toBe(GUEST.expectedSerial);
  });
});
