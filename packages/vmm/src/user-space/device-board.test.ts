import {gpa} from '@hyperscope/base';
import {expect, test} from 'vitest';
import {DeviceBoard} from './device-board.js';

const board = (): DeviceBoard => new DeviceBoard({exitPort: 0xf4, powerOffPort: 0x604, capturePorts: [0x80]});

test('each element of a string OUT reaches the device', () => {
  const devices = board();
  expect(
    devices.handleExit({
      reason: 'io',
      direction: 'out',
      port: 0x3f8,
      width: 8,
      count: 3,
      data: Uint8Array.of(0x61, 0x62, 0x63),
    }),
  ).toBe('continue');
  expect(devices.uart.output).toEqual(Uint8Array.of(0x61, 0x62, 0x63));
});

test('an IN fills the data that the exit brought', () => {
  const data = new Uint8Array(2);
  expect(board().handleExit({reason: 'io', direction: 'in', port: 0x1234, width: 16, count: 1, data})).toBe('continue');
  expect(data).toEqual(Uint8Array.of(0xff, 0xff));
});

test('a 16-bit value goes out whole', () => {
  const devices = board();
  const exit = {
    reason: 'io',
    direction: 'out',
    port: 0x604,
    width: 16,
    count: 1,
    data: Uint8Array.of(0, 0x20),
  } as const;
  expect(devices.handleExit(exit)).toEqual({kind: 'power-off'});
});

test.each([
  [{reason: 'hlt'} as const, {kind: 'halted'}],
  [{reason: 'shutdown'} as const, {kind: 'triple-fault'}],
  [{reason: 'fail-entry', hardwareReason: 7n} as const, {kind: 'error'}],
  [{reason: 'unknown', code: 99} as const, {kind: 'error'}],
])('%o ends the run', (exit, outcome) => {
  expect(board().handleExit(exit)).toMatchObject(outcome);
});

test('MMIO outside memory reads all ones', () => {
  const data = new Uint8Array(4);
  const exit = {reason: 'mmio', direction: 'read', gpa: gpa(0xfee0_0000), data} as const;
  expect(board().handleExit(exit)).toBe('continue');
  expect(data).toEqual(Uint8Array.of(0xff, 0xff, 0xff, 0xff));
});
