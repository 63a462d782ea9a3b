// The ACPI registers of a PC: the event block, which never has an event, and the control register by which a program
// switches the machine off. ACPI Specification, "ACPI Register Model". QEMU's machines have them at 600h.
//
//   600h PM1 status · 602h PM1 enable · 604h PM1 control: 0 SCI_EN · 12:10 SLP_TYP · 13 SLP_EN

import {BankedDevice} from './banked-device.js';
import type {PortDevice, PortRange} from './port-map.js';

/** Offsets in the bank are offsets from the port; the last byte tells whether power is off. */
const ENABLE = 2,
  CONTROL = 4,
  IS_OFF = 6;
const SCI_ENABLE = 1;
const SLEEP_ENABLE = 0x2000,
  SLEEP_TYPE = 0x1c00;
/** The sleep type that \_S5 names in our DSDT. No other is there. */
const SOFT_OFF = 0;

export class PowerManagement extends BankedDevice implements PortDevice {
  readonly ports: PortRange;
  readonly widest = 2;

  constructor(port = 0x600) {
    super('power-management', 8);
    this.ports = {first: port, count: 6};
    this.setByte(CONTROL, SCI_ENABLE);
  }

  get isOff(): boolean {
    return this.byte(IS_OFF) === 1;
  }

  read(offset: number, bytes: number): number {
    return bytes === 1 ? this.byte(offset) : this.byte(offset) | (this.byte(offset + 1) << 8);
  }

  write(offset: number, bytes: number, value: number): void {
    if (offset === CONTROL && bytes === 2 && (value & SLEEP_ENABLE) !== 0) {
      if ((value & SLEEP_TYPE) >>> 10 === SOFT_OFF) this.setByte(IS_OFF, 1);
      return;
    }
    if (offset < ENABLE) return; // Status bits are cleared by writing 1, and none is ever set.
    for (let index = 0; index < bytes && offset + index < IS_OFF; index++)
      this.setByte(offset + index, (value >>> (8 * index)) & 0xff);
    // Without an SMI command port there is nothing but ACPI mode.
    this.setByte(CONTROL, this.byte(CONTROL) | SCI_ENABLE);
  }
}
