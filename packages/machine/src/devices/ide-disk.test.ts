import {expect, test} from 'vitest';
import {TestLine} from './device-fixture.js';
import {IdeDisk} from './ide-disk.js';

const SECTORS = 300;
function disk(): {disk: IdeDisk; line: TestLine; contents: Uint8Array} {
  const contents = new Uint8Array(SECTORS * 512);
  for (let sector = 0; sector < SECTORS; sector++) contents.fill(sector, sector * 512, (sector + 1) * 512);
  const line = new TestLine();
  return {disk: new IdeDisk([contents], line), line, contents};
}
const command = (device: IdeDisk, code: number, sector: number, count: number): void => {
  const registers = [count, sector & 0xff, (sector >> 8) & 0xff, (sector >> 16) & 0xff, 0xe0, code];
  registers.forEach((value, index) => device.write(2 + index, 1, value));
};
const words = (device: IdeDisk, count = 256): number[] => Array.from({length: count}, () => device.read(0, 2));

test('IDENTIFY tells the model and the number of sectors', () => {
  const {disk: device, line} = disk();
  command(device, 0xec, 0, 0);
  expect([device.read(7, 1), line.rises]).toEqual([0x58, 1]);
  const identity = words(device);
  const model = identity.slice(27, 35).map(word => String.fromCharCode(word >> 8, word & 0xff));
  expect([model.join('').trim(), identity[60], identity[100]]).toEqual(['Hyperscope disk', SECTORS, SECTORS]);
  expect(device.read(7, 1)).toBe(0x50);
});

test('READ SECTORS gives them one after another, each with its interrupt', () => {
  const {disk: device, line} = disk();
  command(device, 0x20, 5, 2);
  for (const sector of [5, 6]) {
    expect([line.level, device.read(0x206, 1), line.level, device.read(7, 1), line.level]).toEqual([
      1, 0x58, 1, 0x58, 0,
    ]);
    expect(new Set(words(device))).toEqual(new Set([sector * 0x101]));
  }
  expect([device.read(7, 1), line.rises]).toEqual([0x50, 2]);
});

test('WRITE SECTORS changes the disk, and announces it first', () => {
  const {disk: device, line, contents} = disk();
  const seen: string[] = [];
  device.willWrite = (bank, offset) => {
    if (bank === 'disk') seen.push(`${offset}: ${contents[offset]}`);
  };
  command(device, 0x30, 7, 1);
  expect([device.read(7, 1), line.rises]).toEqual([0x58, 0]);
  for (let index = 0; index < 128; index++) device.write(0, 4, 0xaabb_ccdd);
  expect([device.read(7, 1), line.rises, seen]).toEqual([0x50, 1, ['3584: 7']]);
  expect([...contents.subarray(7 * 512, 7 * 512 + 4)]).toEqual([0xdd, 0xcc, 0xbb, 0xaa]);
  expect(contents[8 * 512]).toBe(8);
});

test('LBA48 takes its registers two bytes deep', () => {
  const {disk: device} = disk();
  for (const [port, value] of [
    [2, 0],
    [3, 0],
    [4, 0],
    [5, 0],
    [2, 1],
    [3, 0x0a],
    [4, 1],
    [5, 0],
    [6, 0x40],
    [7, 0x24],
  ] as const)
    device.write(port, 1, value);
  expect(device.read(0, 2)).toBe(0x0a0a);
});

test('a sector that does not exist, and a command that does not, are errors', () => {
  const {disk: device} = disk();
  command(device, 0x20, SECTORS, 1);
  expect([device.read(7, 1), device.read(1, 1)]).toEqual([0x51, 0x10]);
  command(device, 0xa1, 0, 0);
  expect([device.read(7, 1), device.read(1, 1)]).toEqual([0x51, 4]);
});

test('a second drive is not there', () => {
  const {disk: device} = disk();
  device.write(6, 1, 0xf0);
  device.write(7, 1, 0xec);
  expect(device.read(7, 1)).toBe(0);
});

test('with nIEN the drive is silent; a software reset leaves the signature', () => {
  const {disk: device, line} = disk();
  device.write(0x206, 1, 2);
  command(device, 0xec, 0, 0);
  expect(line.rises).toBe(0);
  device.write(0x206, 1, 4);
  device.write(0x206, 1, 0);
  expect([1, 2, 3, 4, 5, 7].map(port => device.read(port, 1))).toEqual([1, 1, 1, 0, 0, 0x50]);
});

test('a second drive has its own sectors, and a command is about the drive that it was given to', () => {
  const disks = [new Uint8Array(512).fill(1), new Uint8Array(1024).fill(2)];
  const device = new IdeDisk(disks);
  const read = (select: number): number => {
    for (const [at, value] of [
      [6, select],
      [2, 1],
      [3, 0],
      [4, 0],
      [5, 0],
      [7, 0x20],
    ] as const)
      device.write(at, 1, value);
    return device.read(0, 2);
  };
  expect([read(0xe0), read(0xf0)]).toEqual([0x0101, 0x0202]);
  device.write(7, 1, 0x30);
  device.write(6, 1, 0xe0);
  for (let word = 0; word < 256; word++) device.write(0, 2, 0x7777);
  expect([disks[0]?.[0], disks[1]?.[0]]).toEqual([1, 0x77]);
});
