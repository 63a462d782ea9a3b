// A port by which a test program ends its run with a value, as QEMU's isa-debug-exit does: value v, status (v << 1) |
// 1.

import type {Bank} from '../observer.js';
import type {PortDevice, PortRange, WillWrite} from './port-map.js';

export class ExitPort implements PortDevice {
  readonly name = 'exit-port';
  readonly ports: PortRange;
  readonly widest = 4;
  /** Byte 0: whether the program asked to end; bytes 4 to 7: the value. */
  readonly bank: Bank = {name: 'exit-port', bytes: new Uint8Array(8)};
  willWrite: WillWrite | undefined;
  onExit: ((value: number) => void) | undefined;
  readonly #state = new DataView(this.bank.bytes.buffer);

  constructor(port = 0xf4) {
    this.ports = {first: port, count: 4};
  }

  /** What was written, once something was. */
  get value(): number | undefined {
    return this.#state.getUint8(0) === 0 ? undefined : this.#state.getUint32(4, true);
  }

  read(): number {
    return 0;
  }

  write(_offset: number, _bytes: number, value: number): void {
    this.willWrite?.(this.name, 0, 8);
    this.#state.setUint8(0, 1);
    this.#state.setUint32(4, value >>> 0, true);
    this.onExit?.(value);
  }
}

/** The exit status that QEMU would end with. */
export const debugExitStatus = (value: number): number => ((value << 1) | 1) >>> 0;
