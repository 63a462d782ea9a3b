// The port map and what routes through it.

import {expect, test} from 'vitest';
import {DebugPort} from './debug-port.js';
import {PortMap} from './port-map.js';
import {Uart16550} from './uart-16550.js';
import {longMode} from '../machine-fixture.js';

test('a port at which nothing answers reads all ones and is counted', () => {
  const ports = new PortMap();
  expect([ports.read(0x80, 1), ports.read(0x80, 2), ports.read(0x80, 4)]).toEqual([0xff, 0xffff, 0xffff_ffff]);
  ports.write(0x80, 1, 5);
  expect(ports.unknown.get(0x80)).toBe(4);
});

test('a wide access reaches a byte-wide device as several, lowest port first', () => {
  const ports = new PortMap();
  const uart = new Uart16550();
  ports.attach(uart);
  ports.write(0x3fe, 2, 0x5a00); // MSR is read-only, then scratch
  expect(ports.read(0x3ff, 1)).toBe(0x5a);
  expect(ports.read(0x3fe, 2)).toBe(0x5ab0);
});

test('a wide access that runs past a device reads ones behind it', () => {
  const ports = new PortMap();
  ports.attach(new DebugPort(0xe9));
  expect(ports.read(0xe9, 2)).toBe(0xffe9);
});

test('a device that is attached while somebody watches announces its changes too', () => {
  const ports = new PortMap();
  const seen: string[] = [];
  ports.observe(bank => seen.push(bank));
  ports.attach(new DebugPort(0xe9));
  ports.write(0xe9, 1, 65);
  expect(seen).toEqual(['debug-port-e9']);
});

test('a guest prints through the UART, and the event names the device', () => {
  const t = longMode({}, '66 ba f8 03', 'b0 48', 'ee', 'f4'); // mov dx, 3f8h; mov al, 'H'; out dx, al
  const uart = new Uart16550();
  t.machine.ports.attach(uart);
  t.run();
  expect(new TextDecoder().decode(uart.output)).toBe('H');
  expect(t.all('port')).toMatchObject([{direction: 'out', port: 0x3f8, width: 8, value: 0x48, device: 'uart'}]);
});
