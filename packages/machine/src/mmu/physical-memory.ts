// Host-physical memory: RAM from address 0, and regions where a device (or nothing) answers.
// All writes pass through here, so this is where a record learns of them and where cached decodings are dropped.

import type {Hpa} from '@hyperscope/base';
import type {Observer} from '../observer.js';

/** A device that answers to physical addresses. `offset` counts from the region's start; `bytes` is 1, 2, 4 or 8. */
export interface MmioRegion {
  readonly start: number;
  readonly length: number;
  readonly name: string;
  /** What it holds, where that never changes (a ROM): instructions in it are decoded once. */
  readonly contents?: Uint8Array;
  read(offset: number, bytes: number): bigint;
  write(offset: number, bytes: number, value: bigint): void;
}

/** Address line 20, which a PC can hold low so that addresses wrap at 1 MiB as on the 8086. */
export interface AddressLine20 {
  readonly isA20Enabled: boolean;
}

const PAGE_SHIFT = 12;
const PAGE_BYTES = 1 << PAGE_SHIFT;
const MEGABYTE = 0x10_0000;

export class PhysicalMemory {
  readonly bytes: Uint8Array;
  /**
   * Grows by one with every write to the page: a decoding made under an older number is stale. The last one is no page's, and
   * never changes.
   */
  readonly pageVersions: Uint32Array;
  observer: Observer | undefined;
  addressLine20: AddressLine20 | undefined;
  /** Grows by one when a region appears: what was RAM may be none now. */
  layoutVersion = 0;
  /** The RAM, for those who have made sure that they touch RAM alone and tell the observer and `pageVersions` of writes. */
  readonly view: DataView;
  readonly #regions: MmioRegion[] = [];
  /** Below this every address is RAM and belongs to no region. */
  #plainEnd: number;

  /** `size` in bytes, a multiple of 4096. */
  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.pageVersions = new Uint32Array((size >>> PAGE_SHIFT) + 1);
    this.view = new DataView(this.bytes.buffer);
    this.#plainEnd = size;
  }

  get size(): number {
    return this.bytes.length;
  }
  addRegion(region: MmioRegion): void {
    this.#regions.push(region);
    this.layoutVersion++;
    this.#plainEnd = Math.min(this.#plainEnd, region.start);
  }
  regionAt(address: Hpa): MmioRegion | undefined {
    return this.#regions.find(r => address >= r.start && address < r.start + r.length);
  }
  isRam(address: number, length: number): boolean {
    if (address + length <= this.#plainEnd) return true;
    return (
      address + length <= this.bytes.length &&
      this.#regions.every(r => address + length <= r.start || address >= r.start + r.length)
    );
  }

  /** Whether the page that starts at an address lies in one region whose contents never change, and in no other. */
  isUnchangingPage(address: number): boolean {
    const overlapping = this.#regions.filter(r => address + PAGE_BYTES > r.start && address < r.start + r.length);
    const [only] = overlapping;
    if (only?.contents === undefined || overlapping.length > 1) return false;
    return address >= only.start && address + PAGE_BYTES <= only.start + only.length;
  }

  /** The address that reaches the bus: without bit 20 while A20 is held low. */
  throughA20(address: number): number {
    if (this.addressLine20 === undefined || this.addressLine20.isA20Enabled) return address;
    return Math.floor(address / MEGABYTE) % 2 === 0 ? address : address - MEGABYTE;
  }

  /** Reads 1, 2, 4 or 8 bytes, little-endian. Where nothing answers, all ones. */
  read(address: Hpa, bytes: number): bigint {
    if (!this.isRam(address, bytes)) return this.#readRegion(address, bytes);
    switch (bytes) {
      case 1:
        return BigInt(this.view.getUint8(address));
      case 2:
        return BigInt(this.view.getUint16(address, true));
      case 4:
        return BigInt(this.view.getUint32(address, true));
      default:
        return this.view.getBigUint64(address, true);
    }
  }

  /** Writes 1, 2, 4 or 8 bytes, little-endian. Where nothing answers, the write is lost. */
  write(address: Hpa, bytes: number, value: bigint): void {
    if (!this.isRam(address, bytes)) {
      this.#writeRegion(address, bytes, value);
      return;
    }
    this.observer?.willWrite('memory', address, bytes);
    this.#touch(address, bytes);
    switch (bytes) {
      case 1:
        this.view.setUint8(address, Number(value & 0xffn));
        break;
      case 2:
        this.view.setUint16(address, Number(value & 0xffffn), true);
        break;
      case 4:
        this.view.setUint32(address, Number(value & 0xffff_ffffn), true);
        break;
      default:
        this.view.setBigUint64(address, value, true);
    }
  }

  /** Copies bytes in, as a loader or a device with DMA does. */
  load(address: Hpa, data: Uint8Array): void {
    this.observer?.willWrite('memory', address, data.length);
    this.#touch(address, data.length);
    this.bytes.set(data, address);
  }

  /** Tells decoders that bytes changed behind their back (a seek in the record). */
  invalidate(address: number, length: number): void {
    this.#touch(address, length);
  }

  #touch(address: number, length: number): void {
    const last = (address + length - 1) >>> PAGE_SHIFT;
    for (let page = address >>> PAGE_SHIFT; page <= last; page++)
      this.pageVersions[page] = (this.pageVersions[page] ?? 0) + 1;
  }
  #readRegion(address: Hpa, bytes: number): bigint {
    const region = this.regionAt(address);
    return region === undefined ? (1n << BigInt(bytes * 8)) - 1n : region.read(address - region.start, bytes);
  }
  #writeRegion(address: Hpa, bytes: number, value: bigint): void {
    const region = this.regionAt(address);
    region?.write(address - region.start, bytes, value);
  }
}
