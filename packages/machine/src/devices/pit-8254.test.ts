import fc from 'fast-check';
import {expect, test} from 'vitest';
import {HandClock, TestLine} from './device-fixture.js';
import {PIT_HERTZ, Pit8254} from './pit-8254.js';
import {countAfter, nextRiseAfter, outputAfter} from './pit-counter.js';

/** A clock with one cycle a tick, so that counts can be read off. */
function pit(): {time: HandClock; line: TestLine; timer: Pit8254} {
  const time = new HandClock(PIT_HERTZ);
  const line = new TestLine();
  return {time, line, timer: new Pit8254(time.clock, line)};
}
const program = (timer: Pit8254, counter: number, mode: number, count: number): void => {
  timer.write(3, 1, (counter << 6) | 0x30 | (mode << 1));
  timer.write(counter, 1, count & 0xff);
  timer.write(counter, 1, count >> 8);
};
const readCount = (timer: Pit8254, counter: number): number => {
  timer.write(3, 1, counter << 6);
  return timer.read(counter) | (timer.read(counter) << 8);
};

test('mode 0 raises OUT once, when the count is over', () => {
  const {time, line, timer} = pit();
  program(timer, 0, 0, 1000);
  const before = line.rises;
  time.to(999);
  expect([line.level, readCount(timer, 0)]).toEqual([0, 1]);
  time.to(1000);
  expect([line.level, line.rises - before]).toEqual([1, 1]);
  time.to(100_000);
  expect([line.rises - before, time.clock.next]).toEqual([1, Infinity]);
});

test('mode 2 raises IRQ 0 every count ticks', () => {
  const {time, line, timer} = pit();
  program(timer, 0, 2, 100);
  const before = line.rises;
  time.to(99);
  expect(line.rises - before).toBe(0);
  time.to(1000);
  expect(line.rises - before).toBe(10);
  expect(readCount(timer, 0)).toBe(100);
  time.to(1030);
  expect(readCount(timer, 0)).toBe(70);
});

test('mode 3 is a square wave that is high first, and counts by twos', () => {
  const {time, timer} = pit();
  timer.setGate(2, 1);
  program(timer, 2, 3, 10);
  const levels = Array.from({length: 20}, (_, tick) => {
    time.to(tick);
    return timer.output(2);
  });
  expect(levels.join('')).toBe('11111000001111100000');
  time.to(23);
  expect(readCount(timer, 2)).toBe(4);
});

test('mode 1 starts with the gate and again with each rise of it', () => {
  const {time, timer} = pit();
  program(timer, 2, 1, 10);
  expect(timer.output(2)).toBe(1);
  time.to(5);
  timer.setGate(2, 1);
  expect(timer.output(2)).toBe(0);
  time.to(14);
  timer.setGate(2, 0);
  timer.setGate(2, 1);
  time.to(20);
  expect(timer.output(2)).toBe(0);
  time.to(24);
  expect(timer.output(2)).toBe(1);
});

test('mode 4 is low for the one tick at which the count ends', () => {
  const {time, timer} = pit();
  timer.setGate(2, 1);
  program(timer, 2, 4, 5);
  const levels = Array.from({length: 8}, (_, tick) => {
    time.to(tick);
    return timer.output(2);
  });
  expect(levels.join('')).toBe('11111011');
});

test('in mode 0 a low gate stops the count where it is', () => {
  const {time, timer} = pit();
  timer.setGate(2, 1);
  program(timer, 2, 0, 100);
  time.to(30);
  timer.setGate(2, 0);
  time.to(500);
  expect(readCount(timer, 2)).toBe(70);
  timer.setGate(2, 1);
  time.to(570);
  expect(timer.output(2)).toBe(1);
});

test('a latched count stays until it has been read', () => {
  const {time, timer} = pit();
  program(timer, 0, 2, 0x1234);
  time.to(0x34);
  timer.write(3, 1, 0);
  time.to(0x134);
  timer.write(3, 1, 0);
  expect(timer.read(0) | (timer.read(0) << 8)).toBe(0x1200);
  expect(timer.read(0) | (timer.read(0) << 8)).toBe(0x1100);
});

test('read-back gives the status first, then the count', () => {
  const {timer} = pit();
  timer.write(3, 1, 0x34);
  timer.write(3, 1, 0xe2);
  expect(timer.read(0)).toBe(0xf4); // OUT high, null count, both bytes, mode 2
  timer.write(0, 1, 0x10);
  timer.write(0, 1, 0x20);
  timer.write(3, 1, 0xc2);
  expect([timer.read(0), timer.read(0), timer.read(0)]).toEqual([0xb4, 0x10, 0x20]);
});

test('a count of 0 is 65,536, or 10,000 in BCD', () => {
  const {time, line, timer} = pit();
  program(timer, 0, 2, 0);
  const before = line.rises;
  time.to(0x1_0000);
  expect(line.rises - before).toBe(1);
  timer.write(3, 1, 0x35);
  timer.write(0, 1, 0);
  timer.write(0, 1, 0);
  time.to(0x1_0000 + 1);
  expect(readCount(timer, 0)).toBe(0x9999);
});

test('access to one byte only', () => {
  const {timer} = pit();
  timer.write(3, 1, 0x20 | 4);
  timer.write(0, 1, 0x12);
  expect(timer.read(0)).toBe(0x12);
  timer.write(3, 1, 0x10 | 4);
  timer.write(0, 1, 0x34);
  expect(timer.read(0)).toBe(0x34);
});

test('at 2.66 GHz, 18.2 interrupts a second', () => {
  const time = new HandClock(2_660_000_000);
  const line = new TestLine();
  program(new Pit8254(time.clock, line), 0, 2, 0);
  const before = line.rises;
  time.to(26_600_000_000);
  expect(line.rises - before).toBe(182);
});

test('periods that one long instruction covers give one request', () => {
  const {time, line, timer} = pit();
  program(timer, 0, 2, 10);
  const before = line.rises;
  time.jump(1005);
  expect([line.rises - before, time.clock.next]).toEqual([1, 1010]);
});

test('OUT rises exactly where the next rise is announced', () =>
  fc.assert(
    fc.property(fc.constantFrom(0, 2, 3, 4), fc.integer({min: 2, max: 50}), fc.nat(200), (mode, count, elapsed) => {
      const shape = {mode, count, modulus: 0x1_0000};
      const rise = nextRiseAfter(shape, elapsed);
      for (let tick = elapsed + 1; tick < Math.min(rise, elapsed + 100); tick++)
        expect(outputAfter(shape, tick - 1) === 0 && outputAfter(shape, tick) === 1).toBe(false);
      if (rise !== Infinity) expect([outputAfter(shape, rise - 1), outputAfter(shape, rise)]).toEqual([0, 1]);
      expect(countAfter(shape, elapsed)).toBeLessThanOrEqual(0x1_0000);
    }),
  ));

test('every change of state is announced before it happens', () => {
  const {timer} = pit();
  const copy = timer.bank.bytes.slice();
  timer.willWrite = (_, offset, length) => {
    const now = timer.bank.bytes.subarray(offset, offset + length);
    copy.set(now, offset);
  };
  const start = timer.bank.bytes.slice();
  program(timer, 0, 2, 100);
  expect(copy).not.toEqual(timer.bank.bytes);
  expect(copy[0]).toBe(start[0]);
});
