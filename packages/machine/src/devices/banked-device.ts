// What devices have in common: their state is a few bytes in a bank, and every change is announced before it is made,
// so that a record can step back over it.

import type {Bank} from '../observer.js';
import type {WillWrite} from './port-map.js';

export abstract class BankedDevice {
  readonly name: string;
  readonly bank: Bank;
  willWrite: WillWrite | undefined;
  readonly #view: DataView;

  /** A bank of `bytes` zeros, under the name of the device. */
  constructor(name: string, bytes: number) {
    this.name = name;
    this.bank = {name, bytes: new Uint8Array(bytes)};
    this.#view = new DataView(this.bank.bytes.buffer);
  }

  protected byte(at: number): number {
    return this.#view.getUint8(at);
  }
  protected setByte(at: number, value: number): void {
    if (this.#view.getUint8(at) === (value & 0xff)) return;
    this.willWrite?.(this.name, at, 1);
    this.#view.setUint8(at, value);
  }
  protected bit(at: number, bit: number): 0 | 1 {
    return ((this.#view.getUint8(at) >>> bit) & 1) === 1 ? 1 : 0;
  }
  protected setBit(at: number, bit: number, value: number): void {
    const mask = 1 << bit;
    this.setByte(at, value === 0 ? this.byte(at) & ~mask : this.byte(at) | mask);
  }

  /** 32 bits, unsigned, little-endian. */
  protected word(at: number): number {
    return this.#view.getUint32(at, true);
  }
  protected setWord(at: number, value: number): void {
    if (this.#view.getUint32(at, true) === value >>> 0) return;
    this.willWrite?.(this.name, at, 4);
    this.#view.setUint32(at, value >>> 0, true);
  }

  /** A moment or a number of ticks: whole numbers up to 2^53, or Infinity. */
  protected time(at: number): number {
    return this.#view.getFloat64(at, true);
  }
  protected setTime(at: number, value: number): void {
    if (this.#view.getFloat64(at, true) === value) return;
    this.willWrite?.(this.name, at, 8);
    this.#view.setFloat64(at, value, true);
  }
}
