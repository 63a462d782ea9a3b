import {expect, test} from 'vitest';
import {FirmwareConfiguration} from './firmware-configuration.js';

const MEGABYTE = 2 ** 20;

function bench(): {item: (key: number, length: number) => number[]; device: FirmwareConfiguration} {
  const device = new FirmwareConfiguration(64 * MEGABYTE, [{name: 'etc/e820', bytes: Uint8Array.of(1, 2, 3)}]);
  return {
    device,
    item: (key, length) => {
      device.write(0, 2, key);
      return Array.from({length}, () => device.read(1, 1));
    },
  };
}
const text = (bytes: readonly number[]): string => String.fromCharCode(...bytes);

test('selecting a key starts its item from the beginning; behind its end there are zeros', () => {
  const {item} = bench();
  expect(text(item(0, 4))).toBe('QEMU');
  expect(item(1, 6)).toEqual([1, 0, 0, 0, 0, 0]);
  expect(text(item(0, 2))).toBe('QE');
});

test('memory size is 64 bits, the number of processors 16, little-endian', () => {
  const {item} = bench();
  expect(item(3, 8)).toEqual([0, 0, 0, 4, 0, 0, 0, 0]);
  expect(item(5, 2)).toEqual([1, 0]);
});

test('a file is found through the directory, which is big-endian', () => {
  const {item} = bench();
  const listing = item(0x19, 68);
  expect(listing.slice(0, 12)).toEqual([0, 0, 0, 1, 0, 0, 0, 3, 0, 0x20, 0, 0]);
  expect(text(listing.slice(12, 21))).toBe('etc/e820\0');
  expect(item(0x20, 4)).toEqual([1, 2, 3, 0]);
});

test('keys that do not exist read zeros, and only a 16-bit write selects', () => {
  const {device, item} = bench();
  expect(item(0x11, 2)).toEqual([0, 0]);
  item(5, 0);
  device.write(0, 1, 0);
  expect([device.read(1, 1), device.read(0, 2)]).toEqual([1, 0xffff]);
});
