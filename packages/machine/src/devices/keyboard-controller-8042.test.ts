import {expect, test} from 'vitest';
import {TestLine} from './device-fixture.js';
import {KeyboardController8042} from './keyboard-controller-8042.js';
import {ResetAndA20} from './system-control-ports.js';

function controller(): {wires: ResetAndA20; line: TestLine; kbc: KeyboardController8042} {
  const wires = new ResetAndA20();
  const line = new TestLine();
  return {wires, line, kbc: new KeyboardController8042(wires, line)};
}
const STATUS = 4;
const command = (kbc: KeyboardController8042, ...bytes: readonly number[]): void =>
  bytes.forEach((byte, index) => kbc.write(index === 0 ? STATUS : 0, 1, byte));

test('keys wait in order; each raises IRQ 1 when it comes to the front', () => {
  const {line, kbc} = controller();
  kbc.type(Uint8Array.of(0x1e, 0x9e));
  expect([line.rises, kbc.read(STATUS) & 1, kbc.read(0)]).toEqual([1, 1, 0x1e]);
  expect([line.rises, kbc.read(0), kbc.read(STATUS) & 1, line.level]).toEqual([2, 0x9e, 0, 0]);
});

test('with its interrupt off the controller can be polled', () => {
  const {line, kbc} = controller();
  command(kbc, 0x60, 0x44);
  kbc.type(Uint8Array.of(0x1e));
  expect([line.rises, kbc.read(0)]).toEqual([0, 0x1e]);
});

test('a disabled keyboard keeps its keys until it is enabled', () => {
  const {kbc} = controller();
  command(kbc, 0xad);
  kbc.type(Uint8Array.of(0x1e));
  expect(kbc.read(STATUS) & 1).toBe(0);
  command(kbc, 0xae);
  expect(kbc.read(0)).toBe(0x1e);
});

test('self test, keyboard test, command byte, output port', () => {
  const {kbc} = controller();
  const ask = (...bytes: number[]): number => {
    command(kbc, ...bytes);
    return kbc.read(0);
  };
  expect([ask(0xaa), ask(0xab), ask(0x20), ask(0xd0), ask(0xc0)]).toEqual([0x55, 0, 0x45, 3, 0x80]);
  expect(ask(0xd2, 0x77)).toBe(0x77);
});

test('A20 through the output port, and by its own commands', () => {
  const {wires, kbc} = controller();
  command(kbc, 0xd1, 1);
  expect(wires.isA20Enabled).toBe(false);
  command(kbc, 0xd1, 3);
  expect(wires.isA20Enabled).toBe(true);
  command(kbc, 0xdd);
  expect(wires.isA20Enabled).toBe(false);
  command(kbc, 0xdf);
  expect([wires.isA20Enabled, wires.isResetRequested]).toEqual([true, false]);
});

test('FE at port 64h resets the machine; FF pulses nothing', () => {
  const {wires, kbc} = controller();
  command(kbc, 0xff);
  expect(wires.isResetRequested).toBe(false);
  command(kbc, 0xfe);
  expect(wires.isResetRequested).toBe(true);
});

test('the keyboard acknowledges commands and their parameters', () => {
  const {kbc} = controller();
  const say = (byte: number, replies: number): number[] => {
    kbc.write(0, 1, byte);
    return Array.from({length: replies}, () => kbc.read(0));
  };
  expect([say(0xff, 2), say(0xed, 1), say(2, 1), say(0xee, 1), say(0xf2, 3), say(0x10, 1)]).toEqual([
    [0xfa, 0xaa],
    [0xfa],
    [0xfa],
    [0xee],
    [0xfa, 0xab, 0x41],
    [0xfe],
  ]);
  expect(kbc.read(STATUS) & 1).toBe(0);
});

test('an answer of the controller does not lose the key that was waiting', () => {
  const {kbc} = controller();
  kbc.type(Uint8Array.of(0x1e, 0x9e));
  command(kbc, 0xaa);
  expect([kbc.read(0), kbc.read(0), kbc.read(0), kbc.read(STATUS) & 1]).toEqual([0x55, 0x1e, 0x9e, 0]);
});
