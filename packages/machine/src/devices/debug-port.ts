// A port that keeps every byte written to it: 0xe9, the debug console of Bochs and QEMU, or any port under test.

import type {Bank} from '../observer.js';
import type {PortDevice, PortRange, WillWrite} from './port-map.js';
import {OutputLog} from './output-log.js';

export class DebugPort implements PortDevice {
  readonly name: string;
  readonly ports: PortRange;
  readonly widest = 1;
  readonly bank: Bank;
  willWrite: WillWrite | undefined;
  onOutput: ((byte: number) => void) | undefined;
  readonly #count: DataView;
  readonly #log = new OutputLog();

  constructor(port = 0xe9, name = `debug-port-${port.toString(16)}`) {
    this.name = name;
    this.ports = {first: port, count: 1};
    this.bank = {name, bytes: new Uint8Array(4)};
    this.#count = new DataView(this.bank.bytes.buffer);
  }

  /** Everything written so far. */
  get output(): Uint8Array {
    return this.#log.first(this.#count.getUint32(0, true));
  }

  /** Reads its own number, by which a program can tell that it is there (Bochs). */
  read(): number {
    return this.ports.first & 0xff;
  }

  write(_offset: number, _bytes: number, value: number): void {
    const length = this.#count.getUint32(0, true);
    this.willWrite?.(this.name, 0, 4);
    this.#log.put(length, value);
    this.#count.setUint32(0, length + 1, true);
    this.onOutput?.(value);
  }
}
