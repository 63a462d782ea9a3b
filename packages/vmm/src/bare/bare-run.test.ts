import {gpa} from '@hyperscope/base';
import {expect, test} from 'vitest';
import {TEST_PORTS, realModeImage, runToEnd} from '../testing/run-guest.js';
import {BareRun} from './bare-run.js';

const start = (bytes: readonly number[]): BareRun =>
  new BareRun({image: realModeImage(bytes), ports: TEST_PORTS, profile: undefined, costModel: undefined});

test('on bare metal the guest has the UART, and nobody else has the processor', () => {
  const run = start([0xba, 0xf8, 0x03, 0xb0, 0x48, 0xee, 0xf4]);
  const {outcome, reports, events} = runToEnd(run);
  expect(outcome).toEqual({kind: 'halted'});
  expect(run.serialOutput()).toEqual(Uint8Array.of(0x48));
  expect(new Set(reports.map(report => report.actor))).toEqual(new Set(['guest-kernel']));
  expect(events.filter(event => event.kind === 'serial')).toEqual([{kind: 'serial', byte: 0x48}]);
});

test('captured ports keep what was written, empty ports are counted', () => {
  const run = start([0xb0, 7, 0xe6, 0x80, 0xe6, 0x81, 0xe6, 0x81, 0xf4]);
  runToEnd(run);
  expect(run.captured(0x80)).toEqual(Uint8Array.of(7));
  expect(run.unknownPorts()).toEqual(new Map([[0x81, 2]]));
});

test('power-off ends the run', () => {
  const run = start([0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef]);
  expect(runToEnd(run).outcome).toEqual({kind: 'power-off'});
});

test('bytes that were sent to the serial port can be read', () => {
  const run = start([0xba, 0xf8, 0x03, 0xec, 0xf4]);
  run.sendSerial(Uint8Array.of(0x5a));
  runToEnd(run);
  expect((run.guestRegisters().RAX ?? 0n) & 0xffn).toBe(0x5an);
});

test('a segment outside RAM is read-only memory', () => {
  const image = realModeImage([0xb8, 0xff, 0xff, 0x8e, 0xd8, 0xc6, 0x06, 0x10, 0, 1, 0xa0, 0x10, 0, 0xf4]); // mov ds, ffffh; mov byte [10h], 1; mov al, [10h]
  const run = new BareRun({
    image: {...image, segments: [...image.segments, {gpa: gpa(0x10_0000), bytes: Uint8Array.of(0x77, 0x78)}]},
    ports: TEST_PORTS,
    profile: undefined,
    costModel: undefined,
  });
  runToEnd(run);
  expect((run.guestRegisters().RAX ?? 0n) & 0xffn).toBe(0x77n);
});

test('an unknown processor profile is refused with the ones that exist', () => {
  expect(
    () => new BareRun({image: realModeImage([0xf4]), ports: TEST_PORTS, profile: 'cyrix', costModel: undefined}),
  ).toThrow(/westmere/);
});
