// The virtio console on the board of a bare machine: found, agreed with, kicked and heard by code of the guest.

import {expect, test} from 'vitest';
import {listing} from '../conformance/listing.js';
import {startImage} from '../conformance/start-state.js';
import {TEST_PORTS, runToEnd} from '../testing/run-guest.js';
import {VIRTIO_GUESTS} from '../testing/virtio-guest.js';
import {BareRun} from './bare-run.js';

test.each(['PIC', 'IOAPIC'] as const)(
  'one kick sends what lies in two chains, and its interrupt comes by the %s',
  by => {
    const {code, handlers, output} = VIRTIO_GUESTS[by];
    const image = startImage({
      title: '',
      mode: 'protected',
      code: listing(code),
      handlers: {0x1d: listing(handlers[0x1d])},
      expect: {},
    });
    const run = new BareRun({image, ports: TEST_PORTS, profile: undefined, costModel: undefined});
    const {events, outcome} = runToEnd(run);
    expect(outcome).toEqual({kind: 'halted'});
    expect(new TextDecoder().decode(run.console.output)).toBe(output);
    expect(events.filter(event => event.kind === 'device')).toEqual([
      {
        kind: 'device',
        name: 'virtio-console',
        what: 'output',
        sentence: 'virtio-console put out 5 bytes, “Ring!”, from 2 chains of its transmit ring, at one kick',
      },
    ]);
    expect(run.guestRegisters().RBX).toBe(1n);
  },
);
