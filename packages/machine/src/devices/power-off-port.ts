// ACPI power-off, reduced to the one write that asks for it: SLP_EN with sleep type 0 to PM1a_CNT, which QEMU's
// machines
// have at 0x604. ACPI Specification, "PM1 Control Registers".

import type {Bank} from '../observer.js';
import type {PortDevice, PortRange, WillWrite} from './port-map.js';

const SLEEP_ENABLE = 0x2000;

export class PowerOffPort implements PortDevice {
  readonly name = 'power-off';
  readonly ports: PortRange;
  readonly widest = 2;
  /** Byte 0: whether power is off. */
  readonly bank: Bank = {name: 'power-off', bytes: new Uint8Array(1)};
  willWrite: WillWrite | undefined;
  onPowerOff: (() => void) | undefined;

  constructor(port = 0x604) {
    this.ports = {first: port, count: 2};
  }

  get isOff(): boolean {
    return this.bank.bytes[0] === 1;
  }

  read(): number {
    return 0;
  }

  write(offset: number, _bytes: number, value: number): void {
    if (offset !== 0 || (value & SLEEP_ENABLE) === 0) return;
    this.willWrite?.(this.name, 0, 1);
    this.bank.bytes[0] = 1;
    this.onPowerOff?.();
  }
}
