// A device for programs that test a machine from inside, as QEMU's pc-testdev: a register to read back, interrupt lines
// that the program drives itself, and memory that is no RAM. No real board has it.
//
//   e0h to e3h  one 32-bit register, in accesses of any width       e8h to ebh, ech to efh  the same, byte by byte
//   e4h         a page is flushed from the host's mappings: nothing that a guest sees
//   2000h + n   interrupt line n: 0 low, else high                  ff000000h  64 KiB that keep what is written

import {BankedDevice} from './banked-device.js';
import type {Level} from './interrupt-line.js';
import type {PortDevice, PortRange} from './port-map.js';

const REGISTER = 0,
  MEMORY = 4;
const MEMORY_BYTES = 0x1_0000;
const FLUSH = 4,
  BEHIND_FLUSH = 8;
const FIRST_PORT = 0xe0,
  LINE_PORT = 0x2000;
const LINES = 24;

export class TestDevice extends BankedDevice implements PortDevice {
  readonly ports: PortRange = {first: FIRST_PORT, count: 16};
  readonly also: readonly PortRange[] = [{first: LINE_PORT, count: LINES}];
  readonly widest = 4;
  readonly memoryBytes = MEMORY_BYTES;
  /** Told when the program drives an interrupt line. */
  onLine: ((irq: number, level: Level) => void) | undefined;

  constructor() {
    super('test-device', MEMORY + MEMORY_BYTES);
  }

  read(offset: number, bytes: number): number {
    if (offset >= LINE_PORT - FIRST_PORT || (offset >= FLUSH && offset < BEHIND_FLUSH)) return 0xffff_ffff;
    return (this.word(REGISTER) >>> (8 * (offset & 3))) & ones(bytes);
  }

  write(offset: number, bytes: number, value: number): void {
    const line = offset - (LINE_PORT - FIRST_PORT);
    if (line >= 0) return this.onLine?.(line, value === 0 ? 0 : 1);
    if (offset >= FLUSH && offset < BEHIND_FLUSH) return;
    for (let index = 0; index < bytes && (offset & 3) + index < 4; index++)
      this.setByte(REGISTER + (offset & 3) + index, (value >>> (8 * index)) & 0xff);
  }

  readMemory(offset: number, bytes: number): bigint {
    let value = 0n;
    for (let index = bytes - 1; index >= 0; index--)
      value = (value << 8n) | BigInt(offset + index < MEMORY_BYTES ? this.byte(MEMORY + offset + index) : 0xff);
    return value;
  }
  writeMemory(offset: number, bytes: number, value: bigint): void {
    for (let index = 0; index < bytes && offset + index < MEMORY_BYTES; index++)
      this.setByte(MEMORY + offset + index, Number((value >> BigInt(8 * index)) & 0xffn));
  }
}

const ones = (bytes: number): number => 0xffff_ffff >>> (32 - 8 * bytes);
