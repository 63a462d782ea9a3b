// fw_cfg: the device by which QEMU tells firmware and early kernels what the machine is made of. A key is selected, then
// its item is read byte by byte. QEMU, docs/specs/fw_cfg.rst. The DMA interface is not there, and item 1 says so.
//
//   510h key, 16 bits (write) · 511h data, 8 bits (read)      behind the item's end: zeros

import {BankedDevice} from './banked-device.js';
import type {PortDevice, PortRange} from './port-map.js';

const KEYS = {
  signature: 0x00,
  interfaces: 0x01,
  memoryBytes: 0x03,
  noGraphics: 0x04,
  processors: 0x05,
  bootMenu: 0x0e,
  mostProcessors: 0x0f,
  directory: 0x19,
  firstFile: 0x20,
} as const;
/** Bit 14 was a way to write, which is gone. */
const KEY = 0xbfff;
const SELECTED = 0,
  POSITION = 4;
/** Size, key, reserved, name: 64 bytes, big-endian. */
const DIRECTORY_ENTRY = 64,
  NAME_AT = 8,
  NAME_BYTES = 55;
const TRADITIONAL_INTERFACE = 1;

export interface FirmwareFile {
  /** Up to 55 characters: 'etc/e820'. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export class FirmwareConfiguration extends BankedDevice implements PortDevice {
  readonly ports: PortRange = {first: 0x510, count: 2};
  readonly widest = 2;
  readonly #items: ReadonlyMap<number, Uint8Array>;

  constructor(memoryBytes: number, files: readonly FirmwareFile[]) {
    super('fw-cfg', 8);
    this.#items = new Map([
      [KEYS.signature, new TextEncoder().encode('QEMU')],
      [KEYS.interfaces, littleEndian(TRADITIONAL_INTERFACE, 4)],
      [KEYS.memoryBytes, littleEndian(memoryBytes, 8)],
      [KEYS.noGraphics, littleEndian(1, 2)],
      [KEYS.processors, littleEndian(1, 2)],
      [KEYS.bootMenu, littleEndian(0, 2)],
      [KEYS.mostProcessors, littleEndian(1, 2)],
      [KEYS.directory, directory(files)],
      ...files.map(({bytes}, index) => [KEYS.firstFile + index, bytes] as const),
    ]);
  }

  /** The next byte of the selected item. A wider access is none that the device takes. */
  read(offset: number, bytes: number): number {
    if (offset !== 1 || bytes !== 1) return 0xffff;
    const position = this.word(POSITION);
    this.setWord(POSITION, position + 1);
    return this.#items.get(this.word(SELECTED))?.[position] ?? 0;
  }

  write(offset: number, bytes: number, value: number): void {
    if (offset !== 0 || bytes !== 2) return;
    this.setWord(SELECTED, value & KEY);
    this.setWord(POSITION, 0);
  }
}

function littleEndian(value: number, bytes: 2 | 4 | 8): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(value), true);
  return new Uint8Array(view.buffer, 0, bytes);
}

function directory(files: readonly FirmwareFile[]): Uint8Array {
  const table = new Uint8Array(4 + DIRECTORY_ENTRY * files.length);
  const view = new DataView(table.buffer);
  view.setUint32(0, files.length);
  files.forEach(({name, bytes}, index) => {
    const at = 4 + DIRECTORY_ENTRY * index;
    view.setUint32(at, bytes.length);
    view.setUint16(at + 4, KEYS.firstFile + index);
    table.set(new TextEncoder().encode(name).subarray(0, NAME_BYTES), at + NAME_AT);
  });
  return table;
}
