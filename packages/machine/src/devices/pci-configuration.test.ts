import {expect, test} from 'vitest';
import {PciConfiguration} from './pci-configuration.js';
import {ResetAndA20} from './system-control-ports.js';

const select = (pci: PciConfiguration, device: number, register: number, bus = 0): void =>
  pci.write(0, 4, (0x8000_0000 | (bus << 16) | (device << 11) | register) >>> 0);

test('a program finds the host bridge and the ISA bridge, and nothing else', () => {
  const pci = new PciConfiguration(new ResetAndA20());
  const ids = Array.from({length: 32}, (_, device) => {
    select(pci, device, 0);
    return pci.read(4, 4);
  });
  expect(ids.slice(0, 2)).toEqual([0x1237_8086, 0x7000_8086]);
  expect(new Set(ids.slice(2))).toEqual(new Set([0xffff_ffff]));
  select(pci, 0, 0, 1);
  expect(pci.read(4, 4)).toBe(0xffff_ffff);
});

test('class, header type and parts of registers', () => {
  const pci = new PciConfiguration(new ResetAndA20());
  select(pci, 1, 8);
  expect([pci.read(4, 4), pci.read(6, 2), pci.read(7, 1)]).toEqual([0x0601_0000, 0x0601, 0x06]);
  select(pci, 1, 0xc);
  expect(pci.read(6, 1)).toBe(0x80);
});

test('identity cannot be written, command, interrupt line and routing can', () => {
  const pci = new PciConfiguration(new ResetAndA20());
  for (const register of [0, 0x10, 0x3c, 0x60]) {
    select(pci, 1, register);
    pci.write(4, 4, 0x1234_560b);
  }
  const values = [0, 0x10, 0x3c, 0x60].map(register => {
    select(pci, 1, register);
    return pci.read(4, 4);
  });
  expect(values).toEqual([0x7000_8086, 0, 0x0b, 0x1234_560b]);
});

test('without the enable bit the data port is empty; the address port takes 32 bits only', () => {
  const pci = new PciConfiguration(new ResetAndA20());
  pci.write(0, 4, 0);
  expect(pci.read(4, 4)).toBe(0xffff_ffff);
  select(pci, 1, 4);
  pci.write(0, 2, 0);
  expect(pci.read(0, 4)).toBe(0x8000_0804);
});

test('cf9h resets at a rise of bit 2', () => {
  const wires = new ResetAndA20();
  const pci = new PciConfiguration(wires);
  pci.write(1, 1, 2);
  expect(wires.isResetRequested).toBe(false);
  pci.write(1, 1, 6);
  expect(wires.isResetRequested).toBe(true);
});
