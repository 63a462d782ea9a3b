// What answers at the ports of a PC, by the names of the IBM PC AT and of QEMU. For sentences only.

const PORT_RANGES: readonly (readonly [first: number, last: number, name: string])[] = [
  [0x20, 0x21, 'the first interrupt controller'],
  [0x40, 0x43, 'the interval timer'],
  [0x60, 0x60, 'the keyboard controller'],
  [0x64, 0x64, 'the keyboard controller'],
  [0x70, 0x71, 'the real-time clock'],
  [0x80, 0x80, 'the diagnostic (POST) port'],
  [0xa0, 0xa1, 'the second interrupt controller'],
  [0xe9, 0xe9, 'the debug console'],
  [0xf4, 0xf4, 'the debug-exit device'],
  [0x1f0, 0x1f7, 'the first disk controller'],
  [0x3f8, 0x3ff, 'the first serial port'],
  [0x604, 0x605, 'the power-management port'],
];

/** `the first serial port`; undefined for a port with no usual owner. */
export function portName(port: number): string | undefined {
  return PORT_RANGES.find(([first, last]) => port >= first && port <= last)?.[2];
}
