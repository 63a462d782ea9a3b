import {expect, test} from 'vitest';
import {HandClock, TestLine} from './device-fixture.js';
import {RtcCmos} from './rtc-cmos.js';

const SECOND = 1_000_000;
function rtc(): {
  time: HandClock;
  line: TestLine;
  read: (index: number) => number;
  write: (i: number, v: number) => void;
} {
  const time = new HandClock(SECOND);
  const line = new TestLine();
  const date = {year: 2005, month: 12, day: 31, hour: 23, minute: 59, second: 58};
  const device = new RtcCmos({clock: time.clock, line, date, memoryBytes: 64 << 20});
  return {
    time,
    line,
    read: index => {
      device.write(0, 1, index);
      return device.read(1);
    },
    write: (index, value) => {
      device.write(0, 1, index);
      device.write(1, 1, value);
    },
  };
}

test('the date starts where it was told and goes on with the machine’s clock', () => {
  const {time, read} = rtc();
  const date = (): string => [0x32, 9, 8, 7, 4, 2, 0].map(index => read(index).toString(16).padStart(2, '0')).join(' ');
  expect(date()).toBe('20 05 12 31 23 59 58');
  expect(read(6)).toBe(7); // A Saturday.
  time.to(2 * SECOND);
  expect(date()).toBe('20 06 01 01 00 00 00');
  expect(read(6)).toBe(1);
});

test('binary and twelve hours, where status B says so', () => {
  const {read, write} = rtc();
  write(0xb, 6);
  expect([read(4), read(2)]).toEqual([23, 59]);
  write(0xb, 0);
  expect(read(4)).toBe(0x91);
});

test('a date that is set goes on from there', () => {
  const {time, read, write} = rtc();
  write(0xb, 0x82);
  for (const [index, value] of [
    [0x32, 0x19],
    [9, 0x99],
    [8, 1],
    [7, 2],
    [4, 3],
    [2, 4],
    [0, 5],
  ] as const)
    write(index, value);
  time.to(10 * SECOND);
  expect(read(0)).toBe(5);
  write(0xb, 2);
  time.to(11 * SECOND);
  expect([0x32, 9, 8, 7, 4, 2, 0].map(read)).toEqual([0x19, 0x99, 1, 2, 3, 4, 6]);
});

test('memory sizes: 640 KiB below, 63 MiB above 1 MiB, 48 MiB above 16 MiB', () => {
  const {read} = rtc();
  const word = (at: number): number => read(at) | (read(at + 1) << 8);
  expect([word(0x15), word(0x17), word(0x30), word(0x34)]).toEqual([640, 63 * 1024, 63 * 1024, 768]);
});

test('update in progress is announced just before the second', () => {
  const {time, read} = rtc();
  expect(read(0xa)).toBe(0x26);
  time.to(SECOND - 100);
  expect(read(0xa)).toBe(0xa6);
  time.to(SECOND);
  expect(read(0xa)).toBe(0x26);
});

test('the periodic interrupt comes 1024 times a second, as often as status C is read', () => {
  const {time, line, read, write} = rtc();
  write(0xb, 0x42);
  for (let tick = 1; tick <= 1024; tick++) {
    time.to(Math.ceil((tick * SECOND) / 1024));
    expect(read(0xc) & 0xc0).toBe(0xc0);
  }
  expect(line.rises).toBe(1024);
});

test('a request that is not taken stays one request', () => {
  const {time, line, read, write} = rtc();
  write(0xb, 0x12);
  time.to(5 * SECOND);
  // Midnight has passed, and that is what alarm registers of 0 name.
  expect([line.rises, read(0xc), line.level, read(0xc)]).toEqual([1, 0xf0, 0, 0]);
  time.to(6 * SECOND);
  expect(line.rises).toBe(2);
});

test('without an enabled interrupt the flags can be polled', () => {
  const {time, line, read} = rtc();
  read(0xc);
  time.to(SECOND);
  expect([read(0xc), line.rises]).toEqual([0x50, 0]);
});

test('the alarm matches with wildcards', () => {
  const {time, line, read, write} = rtc();
  write(1, 1);
  write(3, 0xff);
  write(5, 0xff);
  write(0xb, 0x22);
  time.to(2 * SECOND);
  expect(line.rises).toBe(0);
  time.to(3 * SECOND);
  expect([line.rises, read(0xc) & 0xa0]).toEqual([1, 0xa0]);
});

test('the rest is memory', () => {
  const {read, write} = rtc();
  write(0xf, 0xa);
  expect(read(0xf)).toBe(0xa);
});
