import {expect, test} from 'vitest';
import {Uart16550} from './uart-16550.js';

test('bytes written to THR are the output; the transmitter is always empty', () => {
  const uart = new Uart16550();
  for (const byte of [0x4f, 0x4b]) uart.write(0, 1, byte);
  expect([...uart.output]).toEqual([0x4f, 0x4b]);
  expect(uart.read(5)).toBe(0x60);
});

test('with DLAB the first two registers are the divisor', () => {
  const uart = new Uart16550();
  uart.write(3, 1, 0x80);
  uart.write(0, 1, 0x0c);
  uart.write(1, 1, 0x01);
  expect([uart.read(0), uart.read(1)]).toEqual([0x0c, 0x01]);
  uart.write(3, 1, 0x03);
  expect(uart.output).toHaveLength(0);
  expect(uart.read(1)).toBe(0);
});

test('received bytes wait with DR set and are read in order', () => {
  const uart = new Uart16550();
  uart.receive(Uint8Array.of(1, 2));
  expect(uart.read(5) & 1).toBe(1);
  expect([uart.read(0), uart.read(0)]).toEqual([1, 2]);
  expect(uart.read(5) & 1).toBe(0);
});

test('in loopback what is sent comes back and nothing leaves', () => {
  const uart = new Uart16550();
  uart.write(4, 1, 0x1f);
  uart.write(0, 1, 0xae);
  expect([uart.read(5) & 1, uart.read(0), uart.output.length]).toEqual([1, 0xae, 0]);
  expect(uart.read(6)).toBe(0xf0);
});

test('the interrupt line: received data outranks the transmitter, reading IIR acknowledges the transmitter', () => {
  const uart = new Uart16550();
  uart.write(4, 1, 8);
  uart.write(1, 1, 3);
  expect(uart.interruptLine).toBe(true);
  expect(uart.read(2)).toBe(2);
  expect(uart.read(2)).toBe(1);
  uart.receive(Uint8Array.of(9));
  expect(uart.read(2)).toBe(4);
  uart.read(0);
  expect(uart.interruptLine).toBe(false);
});

test('the FIFO control register shows in IIR, scratch keeps its byte', () => {
  const uart = new Uart16550();
  uart.write(2, 1, 1);
  uart.write(7, 1, 0x77);
  expect([uart.read(2), uart.read(7)]).toEqual([0xc1, 0x77]);
});

test('going back in time shortens the output, and running again writes it anew', () => {
  const uart = new Uart16550();
  uart.write(0, 1, 65);
  const snapshot = uart.bank.bytes.slice();
  uart.write(0, 1, 66);
  uart.bank.bytes.set(snapshot);
  expect([...uart.output]).toEqual([65]);
  uart.write(0, 1, 66);
  expect([...uart.output]).toEqual([65, 66]);
});

test('every change of state is announced before it happens', () => {
  const uart = new Uart16550();
  const seen: string[] = [];
  uart.willWrite = (bank, offset, length) => seen.push(`${bank} ${offset}+${length}: ${uart.output.length}`);
  uart.write(0, 1, 65);
  expect(seen).toContain('uart 12+4: 0');
});

test('with the FIFO on, bytes below the trigger level are a character timeout', () => {
  const uart = new Uart16550();
  uart.write(2, 1, 0x81); // FIFO on, 8 bytes
  uart.write(4, 1, 8);
  uart.write(1, 1, 1);
  uart.receive(Uint8Array.of(1, 2, 3));
  expect(uart.read(2)).toBe(0xcc);
  uart.receive(Uint8Array.of(4, 5, 6, 7, 8));
  expect(uart.read(2)).toBe(0xc4);
});

test('the interrupt line is told after every access', () => {
  const uart = new Uart16550();
  const levels: number[] = [];
  uart.onInterrupt = level => levels.push(level);
  uart.write(4, 1, 8);
  uart.write(1, 1, 1);
  uart.receive(Uint8Array.of(9));
  uart.read(0);
  expect(levels).toEqual([0, 0, 1, 0]);
});

test('a received byte interrupts whether or not OUT2 is set, but not in loopback', () => {
  const uart = new Uart16550();
  uart.write(1, 1, 1);
  uart.receive(Uint8Array.of(0x41));
  expect(uart.interruptLine).toBe(true);
  uart.write(4, 1, 0x10);
  expect(uart.interruptLine).toBe(false);
});
