// A device that reaches into the guest's memory by itself reaches nothing else, on any technique: a buffer that begins in RAM and
// ends behind it is refused, and the device says so.

import {expect, test} from 'vitest';
import {listing} from '../conformance/listing.js';
import {START, startImage} from '../conformance/start-state.js';
import {PC_TECHNIQUES} from '../techniques.js';
import {TEST_PORTS, runToEnd} from '../testing/run-guest.js';
import {VIRTIO_GUESTS} from '../testing/virtio-guest.js';

const little = (value: number): string =>
  [0, 8, 16, 24].map(shift => ((value >>> shift) & 0xff).toString(16).padStart(2, '0')).join(' ');

test.each(PC_TECHNIQUES.map(technique => [technique.id, technique] as const))('on %s', (_id, technique) => {
  const {code, handlers} = VIRTIO_GUESTS.PIC;
  const last = START.memoryBytes - 1; // the first buffer: 3 bytes at the last one of RAM
  const beyond = code.replace('c7 05 00 00 01 00 00 30 01 00', `c7 05 00 00 01 00 ${little(last)}`);
  expect(beyond).not.toBe(code);
  const image = startImage({
    title: '',
    mode: 'protected',
    code: listing(beyond),
    handlers: {0x1d: listing(handlers[0x1d])},
    expect: {},
  });
  const run = technique.start({image, ports: TEST_PORTS, profile: undefined, costModel: undefined});
  const {events, outcome} = runToEnd(run, 20_000);
  expect(outcome).toEqual({kind: 'halted'});
  expect(events.filter(event => event.kind === 'device').map(({sentence}) => sentence)).toEqual([
    'virtio-console needs a reset: the buffer at GPA 0x3fffff does not lie in the guest’s memory',
  ]);
});
