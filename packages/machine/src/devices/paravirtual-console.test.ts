import {expect, test} from 'vitest';
import {CONSOLE_WRITE, ParavirtualConsole} from './paravirtual-console.js';

function bench(): {device: ParavirtualConsole; text: () => string} {
  const ram = new TextEncoder().encode('....Hello');
  const device = new ParavirtualConsole({
    read: (gpa, length) => (gpa + length <= ram.length ? ram.slice(gpa, gpa + length) : undefined),
    write: () => false,
  });
  return {device, text: () => new TextDecoder().decode(device.output)};
}

test('puts out what lies in memory, and tells how much', () => {
  const {device, text} = bench();
  expect([device.call(CONSOLE_WRITE, [4n, 5n]), text()]).toEqual([5n, 'Hello']);
  expect([device.call(CONSOLE_WRITE, [8n, 1n]), text()]).toEqual([1n, 'Helloo']);
});

test.each([
  ['another number', 5n, [4n, 5n], -1000n],
  ['no bytes', CONSOLE_WRITE, [4n, 0n], -22n],
  ['too many bytes', CONSOLE_WRITE, [0n, 0x1_0001n], -22n],
  ['bytes that are not in memory', CONSOLE_WRITE, [8n, 2n], -14n],
  ['bytes at the end of the address space', CONSOLE_WRITE, [2n ** 64n - 1n, 2n], -14n],
])('refuses %s, and puts out nothing', (_name, number, args, result) => {
  const {device, text} = bench();
  expect([device.call(number, args), text()]).toEqual([result, '']);
});
