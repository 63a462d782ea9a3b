// The ACPI power-management timer: 24 bits that count up 3,579,545 times a second. ACPI Specification, "Power Management
// Timer". QEMU's machines have it at 0x608, beside the control register that switches the machine off.

import {BankedDevice} from './banked-device.js';
import type {DeviceClock} from './device-clock.js';
import type {PortDevice, PortRange} from './port-map.js';

export const PM_TIMER_HERTZ = 3_579_545;

export class PmTimer extends BankedDevice implements PortDevice {
  readonly ports: PortRange;
  readonly widest = 4;
  readonly #clock: DeviceClock;

  constructor(clock: DeviceClock, port = 0x608) {
    super('pm-timer', 0);
    this.#clock = clock;
    this.ports = {first: port, count: 4};
  }

  read(offset: number): number {
    return (this.#clock.ticks(PM_TIMER_HERTZ) & 0xff_ffff) >>> (8 * offset);
  }
  write(): void {
    // It only counts.
  }
}
