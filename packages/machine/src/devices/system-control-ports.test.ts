import {expect, test} from 'vitest';
import {HandClock} from './device-fixture.js';
import {PIT_HERTZ, Pit8254} from './pit-8254.js';
import {ResetAndA20, SpeakerPort, SystemControlPortA} from './system-control-ports.js';

test('through port 61h a program waits for counter 2, as it does to measure the processor', () => {
  const time = new HandClock(PIT_HERTZ);
  const pit = new Pit8254(time.clock);
  const port = new SpeakerPort(time.clock, pit);
  port.write(0, 1, 1);
  pit.write(3, 1, 0xb0);
  pit.write(2, 1, 0x10);
  pit.write(2, 1, 0x27);
  time.to(9999);
  expect(port.read() & 0x21).toBe(1);
  time.to(10_000);
  expect(port.read() & 0x21).toBe(0x21);
});

test('the refresh bit of port 61h toggles every 15 µs', () => {
  const time = new HandClock(1_000_000);
  const port = new SpeakerPort(time.clock, new Pit8254(time.clock));
  const bits = [0, 16, 31, 46].map(cycle => {
    time.to(cycle);
    return port.read() & 0x10;
  });
  expect(bits).toEqual([0, 0x10, 0, 0x10]);
});

test('port 92h moves A20 and pulls reset at a rise of bit 0', () => {
  const wires = new ResetAndA20();
  const port = new SystemControlPortA(wires);
  expect(port.read()).toBe(2);
  port.write(0, 1, 0);
  expect([port.read(), wires.isA20Enabled, wires.isResetRequested]).toEqual([0, false, false]);
  port.write(0, 1, 3);
  expect([wires.isA20Enabled, wires.isResetRequested]).toEqual([true, true]);
});
