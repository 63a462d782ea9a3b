import {expect, test} from 'vitest';
import {IoApic} from './io-apic.js';

function bench(): {
  apic: IoApic;
  sent: string[];
  write: (index: number, value: number) => void;
  read: (i: number) => number;
} {
  const sent: string[] = [];
  const apic = new IoApic({
    isDestination: destination => destination === 0,
    accept: (vector, trigger) => sent.push(`${vector.toString(16)} ${trigger}`),
    hears: vector => vector >= 0x20,
  });
  return {
    apic,
    sent,
    write: (index, value) => {
      apic.writeRegister(0, index);
      apic.writeRegister(0x10, value);
    },
    read: index => {
      apic.writeRegister(0, index);
      return apic.readRegister(0x10);
    },
  };
}

test('24 inputs, all masked at first', () => {
  const {apic, sent, read} = bench();
  expect([read(1), read(0x10), read(0x3e)]).toEqual([0x17_0020, 0x1_0000, 0x1_0000]);
  apic.setLine(4, 1);
  expect([sent, apic.hears(4)]).toEqual([[], false]);
});

test('an edge sends the vector of its entry, once', () => {
  const {apic, sent, write} = bench();
  write(0x12, 0x31);
  apic.setLine(1, 1);
  apic.setLine(1, 1);
  apic.setLine(1, 0);
  apic.setLine(1, 1);
  expect([sent, apic.hears(1)]).toEqual([['31 edge', '31 edge'], true]);
});

test('a level waits for EOI, and is sent again while the line is high', () => {
  const {apic, sent, write, read} = bench();
  write(0x16, 0x8041);
  apic.setLine(3, 1);
  apic.setLine(3, 1);
  expect([sent, read(0x16)]).toEqual([['41 level'], 0xc041]);
  apic.endOfInterrupt(0x41);
  expect(sent).toEqual(['41 level', '41 level']);
  apic.setLine(3, 0);
  apic.endOfInterrupt(0x41);
  expect([sent.length, read(0x16)]).toEqual([2, 0x8041]);
});

test('another processor’s entry reaches nobody', () => {
  const {apic, sent, write} = bench();
  write(0x13, 1 << 24);
  write(0x12, 0x31);
  apic.setLine(1, 1);
  expect([sent, apic.hears(1)]).toEqual([[], false]);
});

test('the id can be written, reserved bits cannot', () => {
  const {read, write} = bench();
  write(0, 0xffff_ffff);
  expect(read(0)).toBe(0x0f00_0000);
});
