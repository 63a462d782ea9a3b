// PCI configuration space through its two ports ("mechanism #1"): a host bridge, an ISA bridge and whatever else the
// board has. PCI Local Bus Specification, "Configuration Space"; Intel, "82441FX PMC" and "82371SB PIIX3".
//
//   cf8h address: 31 enable · 23:16 bus · 15:11 device · 10:8 function · 7:2 register     cfch to cffh data
//   cf9h reset control: 1 hard · 2 reset, by a 1 where there was a 0

import {BankedDevice} from './banked-device.js';
import type {PortDevice, PortRange} from './port-map.js';
import type {ResetAndA20} from './system-control-ports.js';

/** A function on bus 0: what its configuration space says at first. */
export interface PciFunction {
  readonly device: number;
  readonly function: number;
  readonly vendorId: number;
  readonly deviceId: number;
  /** Base class, subclass and programming interface: 0x060000 is a host bridge. */
  readonly classCode: number;
  readonly headerType?: number;
  /** Bytes of its own that a program can write, such as interrupt routing: first and last offset. */
  readonly writable?: readonly (readonly [first: number, last: number])[];
}

/** Intel 440FX. 59h to 5fh: which parts of the BIOS area are RAM. */
export const HOST_BRIDGE: PciFunction = {
  device: 0,
  function: 0,
  vendorId: 0x8086,
  deviceId: 0x1237,
  classCode: 0x06_0000,
  writable: [[0x59, 0x5f]],
};
/** Intel PIIX3. 60h to 63h: which IRQ each PCI interrupt goes to. */
export const ISA_BRIDGE: PciFunction = {
  device: 1,
  function: 0,
  vendorId: 0x8086,
  deviceId: 0x7000,
  classCode: 0x06_0100,
  headerType: 0x80,
  writable: [[0x60, 0x63]],
};
/** Intel PIIX3, the disk controller at its ISA ports. */
export const IDE_CONTROLLER: PciFunction = {
  device: 1,
  function: 1,
  vendorId: 0x8086,
  deviceId: 0x7010,
  classCode: 0x01_0180,
};

const ADDRESS = 0,
  RESET_CONTROL = 4,
  SPACES = 8,
  SPACE_BYTES = 256;
const ENABLE = 0x8000_0000;
const DATA_PORT = 4,
  RESET_PORT = 1;
/** Command register (I/O, memory, bus master, …) and interrupt line can always be written; base addresses do not exist. */
const ALWAYS_WRITABLE: readonly (readonly [number, number])[] = [
  [4, 5],
  [0x3c, 0x3c],
];

export class PciConfiguration extends BankedDevice implements PortDevice {
  readonly ports: PortRange = {first: 0xcf8, count: 8};
  readonly widest = 4;
  readonly #functions: readonly PciFunction[];
  readonly #wires: ResetAndA20;

  constructor(wires: ResetAndA20, functions: readonly PciFunction[] = [HOST_BRIDGE, ISA_BRIDGE]) {
    super('pci', SPACES + SPACE_BYTES * functions.length);
    this.#functions = functions;
    this.#wires = wires;
    functions.forEach((each, index) => {
      const base = SPACES + SPACE_BYTES * index;
      this.setWord(base, (each.deviceId << 16) | each.vendorId);
      this.setWord(base + 4, 0x0200_0000 | (each === ISA_BRIDGE ? 7 : 0));
      this.setWord(base + 8, each.classCode << 8);
      this.setByte(base + 0xe, each.headerType ?? 0);
    });
  }

  read(offset: number, bytes: number): number {
    if (offset >= DATA_PORT) return this.#readSpace(offset - DATA_PORT, bytes);
    if (offset === 0 && bytes === 4) return this.word(ADDRESS);
    return offset === RESET_PORT && bytes === 1 ? this.byte(RESET_CONTROL) : 0xffff_ffff;
  }

  write(offset: number, bytes: number, value: number): void {
    if (offset >= DATA_PORT) return this.#writeSpace(offset - DATA_PORT, bytes, value);
    if (offset === 0 && bytes === 4) return this.setWord(ADDRESS, value & 0x80ff_fffc);
    if (offset !== RESET_PORT || bytes !== 1) return;
    if ((value & 4) !== 0 && (this.byte(RESET_CONTROL) & 4) === 0) this.#wires.requestReset();
    this.setByte(RESET_CONTROL, value & 6);
  }

  #readSpace(offset: number, bytes: number): number {
    const base = this.#selected();
    if (base === undefined) return 0xffff_ffff;
    const register = this.#register(offset);
    let value = 0;
    for (let index = bytes - 1; index >= 0; index--) value = (value << 8) | this.#spaceByte(base, register + index);
    return value >>> 0;
  }
  #writeSpace(offset: number, bytes: number, value: number): void {
    const base = this.#selected();
    if (base === undefined) return;
    const own = this.#functions[(base - SPACES) / SPACE_BYTES]?.writable ?? [];
    for (let index = 0; index < bytes; index++) {
      const at = this.#register(offset) + index;
      const isWritable = [...ALWAYS_WRITABLE, ...own].some(([first, last]) => at >= first && at <= last);
      if (isWritable) this.setByte(base + at, (value >>> (8 * index)) & 0xff);
    }
  }
  #register(offset: number): number {
    return (this.word(ADDRESS) & 0xfc) + offset;
  }
  #spaceByte(base: number, at: number): number {
    return at < SPACE_BYTES ? this.byte(base + at) : 0xff;
  }

  /** Where the addressed function's space lies in the bank; undefined where there is none, which reads all ones. */
  #selected(): number | undefined {
    const address = this.word(ADDRESS);
    if ((address & ENABLE) === 0 || ((address >>> 16) & 0xff) !== 0) return undefined;
    const [device, number] = [(address >>> 11) & 0x1f, (address >>> 8) & 7];
    const index = this.#functions.findIndex(each => each.device === device && each.function === number);
    return index < 0 ? undefined : SPACES + SPACE_BYTES * index;
  }
}
