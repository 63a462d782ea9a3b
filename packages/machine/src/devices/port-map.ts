// The port space: 65,536 addresses, most of them empty. Whoever answers IN and OUT has one of these: the machine for a
// guest on bare metal, the user-space half of a hypervisor for a guest in a VM. A port at which nothing answers reads
// all ones, loses what is written, and is counted.

import type {Bank} from '../observer.js';

/** Tells a record that `length` bytes at `offset` of a device's bank are about to change. */
export type WillWrite = (bank: string, offset: number, length: number) => void;

export interface PortRange {
  readonly first: number;
  readonly count: number;
}

/** A device that answers at ports. It depends on nothing but this. */
export interface PortDevice {
  readonly name: string;
  readonly ports: PortRange;
  /** Further ports of the same device. */
  readonly also?: readonly PortRange[];
  /** The widest access it takes as one, in bytes; wider ones reach it as several, lowest port first. */
  readonly widest: 1 | 2 | 4;
  readonly bank: Bank;
  /** Set by whoever owns the device; called before each change of `bank`. */
  willWrite: WillWrite | undefined;
  /** `offset` counts from `ports.first`, in `also` too; `bytes` is 1, 2 or 4 and at most `widest`. */
  read(offset: number, bytes: number): number;
  write(offset: number, bytes: number, value: number): void;
}

const ALL_ONES = 0xffff_ffff;
const mask = (bytes: number): number => ALL_ONES >>> (32 - 8 * bytes);

export class PortMap {
  readonly #devices: PortDevice[] = [];
  readonly #byPort = new Map<number, PortDevice>();
  #willWrite: WillWrite | undefined;
  /**
   * How often each empty port was used. A statistic of the session, not state of the machine: a seek does not rewind
   * it.
   */
  readonly unknown = new Map<number, number>();

  /** Where two devices claim a port, the one that was attached first has it. */
  attach(device: PortDevice): void {
    device.willWrite = this.#willWrite;
    this.#devices.push(device);
    for (const {first, count} of [device.ports, ...(device.also ?? [])]) {
      for (let port = first; port < first + count; port++) {
        if (!this.#byPort.has(port)) this.#byPort.set(port, device);
      }
    }
  }
  get devices(): readonly PortDevice[] {
    return this.#devices;
  }

  deviceAt(port: number): PortDevice | undefined {
    return this.#byPort.get(port);
  }

  /** Tells every device whom to notify before it changes. */
  observe(willWrite: WillWrite | undefined): void {
    this.#willWrite = willWrite;
    for (const device of this.#devices) device.willWrite = willWrite;
  }

  /** `bytes` is 1, 2 or 4. The value is unsigned. */
  read(port: number, bytes: number): number {
    const device = this.deviceAt(port);
    if (device === undefined) {
      this.#count(port);
      return mask(bytes);
    }
    const step = Math.min(bytes, device.widest);
    let value = device.read(port - device.ports.first, step) & mask(step);
    for (let done = step; done < bytes; done += step) value |= this.read((port + done) & 0xffff, step) << (8 * done);
    return value >>> 0;
  }

  write(port: number, bytes: number, value: number): void {
    const device = this.deviceAt(port);
    if (device === undefined) {
      this.#count(port);
      return;
    }
    const step = Math.min(bytes, device.widest);
    device.write(port - device.ports.first, step, (value & mask(step)) >>> 0);
    for (let done = step; done < bytes; done += step) this.write((port + done) & 0xffff, step, value >>> (8 * done));
  }

  #count(port: number): void {
    this.unknown.set(port, (this.unknown.get(port) ?? 0) + 1);
  }
}
