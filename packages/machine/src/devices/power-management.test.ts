import {expect, test} from 'vitest';
import {PortMap} from './port-map.js';
import {PowerManagement} from './power-management.js';

function bench(): {ports: PortMap; device: PowerManagement} {
  const device = new PowerManagement();
  const ports = new PortMap();
  ports.attach(device);
  return {ports, device};
}

test('the machine is in ACPI mode, and without events', () => {
  const {ports} = bench();
  ports.write(0x604, 2, 0);
  expect([ports.read(0x600, 2), ports.read(0x604, 2)]).toEqual([0, 1]);
});

test('SLP_EN with the sleep type of S5 switches it off; others do not', () => {
  const {ports, device} = bench();
  ports.write(0x604, 2, 0x2400);
  expect(device.isOff).toBe(false);
  ports.write(0x604, 2, 0x2000);
  expect(device.isOff).toBe(true);
});

test('events can be enabled, a byte at a time too', () => {
  const {ports} = bench();
  ports.write(0x602, 1, 0x20);
  ports.write(0x603, 1, 0x05);
  expect([ports.read(0x602, 2), ports.read(0x600, 4)]).toEqual([0x0520, 0x0520_0000]);
});
