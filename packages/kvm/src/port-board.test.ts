import {describe, expect, test} from 'vitest';
import {PortBoard} from './port-board.js';

const PORTS = {exitPort: 0xf4, powerOffPort: 0x604, capturePorts: [0xe9]} as const;

describe('PortBoard', () => {
  test('keeps what is written to the serial port, but not the baud-rate divisor', () => {
    const board = new PortBoard(PORTS);
    for (const [port, value] of [[0x3fb, 0x80], [0x3f8, 1], [0x3f9, 0], [0x3fb, 3], [0x3f8, 0x41]] as const) board.write(port, 8, value);
    expect(board.serial).toEqual([0x41]);
  });
  test('says that the transmitter is empty, and that data arrived', () => {
    const board = new PortBoard(PORTS);
    expect(board.read(0x3fd, 8)).toBe(0x60);
    board.sendSerial(new Uint8Array([0x42]));
    expect([board.read(0x3fd, 8), board.read(0x3f8, 8), board.read(0x3fd, 8)]).toEqual([0x61, 0x42, 0x60]);
  });
  test('ends a run as isa-debug-exit does', () => {
    const board = new PortBoard(PORTS);
    board.write(0xf4, 32, 0x10);
    expect(board.outcome).toEqual({kind: 'debug-exit', value: 0x21});
  });
  test('powers off for SLP_EN only', () => {
    const board = new PortBoard(PORTS);
    board.write(0x604, 16, 0x1000);
    expect(board.outcome).toBeUndefined();
    board.write(0x604, 16, 0x2000);
    expect(board.outcome).toEqual({kind: 'power-off'});
  });
  test('captures, and counts ports at which nobody answers', () => {
    const board = new PortBoard(PORTS);
    board.write(0xe9, 8, 0x58);
    board.write(0x80, 8, 1);
    expect([board.read(0x60, 8), board.read(0x1f0, 16), board.read(0xcfc, 32)]).toEqual([0xff, 0xffff, 0xffff_ffff]);
    expect(board.captured(0xe9)).toEqual(new Uint8Array([0x58]));
    expect([...board.unknownPorts()]).toEqual([[0x80, 1], [0x60, 1], [0x1f0, 1], [0xcfc, 1]]);
  });
});
