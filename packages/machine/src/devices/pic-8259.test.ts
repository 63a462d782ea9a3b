import {expect, test} from 'vitest';
import {Pic8259Pair} from './pic-8259.js';

/** Vectors 20h and 28h, everything unmasked unless told. */
function pair({icw4 = 1, mask = [0, 0]}: {icw4?: number; mask?: readonly [number, number]} = {}): Pic8259Pair {
  const pic = new Pic8259Pair();
  for (const [offset, vectors, cascade, imr] of [
    [0, 0x20, 4, mask[0]],
    [0x80, 0x28, 2, mask[1]],
  ] as const) {
    pic.write(offset, 1, 0x11);
    for (const value of [vectors, cascade, icw4, imr]) pic.write(offset + 1, 1, value);
  }
  return pic;
}
const EOI = 0x20;
const isr = (pic: Pic8259Pair, offset = 0): number => {
  pic.write(offset, 1, 0x0b);
  return pic.read(offset);
};
const irr = (pic: Pic8259Pair): number => {
  pic.write(0, 1, 0x0a);
  return pic.read(0);
};

test('after power-on everything is masked', () => {
  const pic = new Pic8259Pair();
  pic.setLine(1, 1);
  expect([pic.isRequesting, pic.read(1), pic.read(0x81)]).toEqual([false, 0xff, 0xff]);
});

test('a rising edge is a request; INTA moves it from IRR to ISR; EOI ends it', () => {
  const pic = pair();
  pic.setLine(1, 1);
  expect([pic.requested, irr(pic), isr(pic)]).toEqual([0x21, 2, 0]);
  expect(pic.acknowledge()).toBe(0x21);
  expect([pic.isRequesting, irr(pic), isr(pic)]).toEqual([false, 0, 2]);
  pic.write(0, 1, EOI);
  expect(isr(pic)).toBe(0);
  expect(pic.isRequesting).toBe(false); // The line is still high: no new edge.
  pic.setLine(1, 0);
  pic.setLine(1, 1);
  expect(pic.requested).toBe(0x21);
});

test('the lower number goes first, and waits for nothing but a higher one in service', () => {
  const pic = pair();
  pic.setLine(4, 1);
  pic.setLine(3, 1);
  expect(pic.acknowledge()).toBe(0x23);
  expect([pic.isRequesting, pic.hears(5), pic.hears(1)]).toEqual([false, false, true]);
  pic.setLine(1, 1);
  expect(pic.acknowledge()).toBe(0x21);
  pic.write(0, 1, EOI);
  expect(isr(pic)).toBe(8);
  pic.write(0, 1, EOI);
  expect(pic.requested).toBe(0x24);
});

test('a masked request waits', () => {
  const pic = pair({mask: [2, 0]});
  pic.setLine(1, 1);
  expect([pic.isRequesting, pic.hears(1)]).toEqual([false, false]);
  pic.write(1, 1, 0);
  expect(pic.requested).toBe(0x21);
});

test('the second chip is heard through IR2, and needs an EOI to both', () => {
  const pic = pair();
  pic.setLine(14, 1);
  expect(pic.requested).toBe(0x2e);
  expect(pic.acknowledge()).toBe(0x2e);
  expect([isr(pic), isr(pic, 0x80)]).toEqual([4, 0x40]);
  pic.setLine(9, 1);
  expect(pic.isRequesting).toBe(false); // IR2 in service blocks it, without the special fully nested mode.
  pic.write(0, 1, EOI);
  expect(pic.acknowledge()).toBe(0x29);
});

test('in the special fully nested mode a more important IRQ of the second chip interrupts another one', () => {
  const pic = pair({icw4: 0x11});
  pic.setLine(14, 1);
  pic.acknowledge();
  pic.setLine(9, 1);
  expect(pic.requested).toBe(0x29);
});

test('a request that has gone before INTA is the spurious interrupt, and is not in service', () => {
  const pic = pair();
  pic.setLine(4, 1);
  pic.setLine(4, 0);
  expect(pic.acknowledge()).toBe(0x27);
  expect(isr(pic)).toBe(0);
});

test('a specific EOI ends the one that it names', () => {
  const pic = pair();
  pic.setLine(5, 1);
  pic.acknowledge();
  pic.setLine(1, 1);
  pic.acknowledge();
  pic.write(0, 1, 0x65);
  expect(isr(pic)).toBe(2);
});

test('with automatic EOI nothing stays in service', () => {
  const pic = pair({icw4: 3});
  pic.setLine(1, 1);
  pic.acknowledge();
  expect(isr(pic)).toBe(0);
});

test('a rotating EOI gives the served one the lowest priority', () => {
  const pic = pair();
  pic.setLine(0, 1);
  pic.acknowledge();
  pic.write(0, 1, 0xa0);
  for (const irq of [0, 7]) {
    pic.setLine(irq, 0);
    pic.setLine(irq, 1);
  }
  expect(pic.acknowledge()).toBe(0x27);
});

test('set priority makes the next one the highest', () => {
  const pic = pair();
  pic.write(0, 1, 0xc0 | 4);
  pic.setLine(0, 1);
  pic.setLine(5, 1);
  expect(pic.requested).toBe(0x25);
});

test('in special mask mode a masked interrupt in service blocks nobody', () => {
  const pic = pair();
  pic.setLine(3, 1);
  pic.acknowledge();
  pic.write(1, 1, 8);
  pic.setLine(6, 1);
  expect(pic.isRequesting).toBe(false);
  pic.write(0, 1, 0x68);
  expect(pic.requested).toBe(0x26);
});

test('a poll acknowledges and gives the number', () => {
  const pic = pair();
  pic.setLine(4, 1);
  pic.write(0, 1, 0x0c);
  expect([pic.read(0), isr(pic)]).toEqual([0x84, 0x10]);
});

test('a level-triggered line asks again after EOI as long as it is high', () => {
  const pic = pair();
  pic.write(0x4b1, 1, 0xff);
  expect(pic.read(0x4b1)).toBe(0xde);
  pic.setLine(11, 1);
  expect(pic.acknowledge()).toBe(0x2b);
  for (const offset of [0, 0x80]) pic.write(offset, 1, EOI);
  expect(pic.requested).toBe(0x2b);
  pic.setLine(11, 0);
  expect(pic.isRequesting).toBe(false);
});

test('ICW1 forgets requests and the mask; without ICW4 the next write is the mask', () => {
  const pic = pair();
  pic.setLine(4, 1);
  pic.write(0, 1, 0x12);
  pic.write(1, 1, 0x40);
  pic.write(1, 1, 0xaa);
  expect([pic.read(1), irr(pic)]).toEqual([0xaa, 0]);
});

test('every change of state is announced before it happens', () => {
  const pic = pair();
  const before: number[] = [];
  pic.willWrite = (_, offset) => before.push(pic.bank.bytes[offset] ?? -1);
  pic.setLine(1, 1);
  expect(before).toEqual([0, 0]);
});
