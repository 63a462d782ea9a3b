// Two ports of single wires. IBM, "PS/2 Hardware Interface Technical Reference", "System Control Port A", "Port B";
// Intel, "82371SB PIIX3", "NMI Status and Control Register".
//
//   61h  0 gate of PIT counter 2 · 1 speaker · 4 refresh, toggles (read) · 5 OUT of PIT counter 2 (read)
//   92h  0 reset, by a 1 where there was a 0 · 1 A20 gate

import {BankedDevice} from './banked-device.js';
import type {DeviceClock} from './device-clock.js';
import type {Pit8254} from './pit-8254.js';
import type {PortDevice, PortRange} from './port-map.js';

/** Memory is refreshed every 15.09 µs (18 ticks of the PIT): 66,288 times a second. */
const REFRESH_HERTZ = 66_288;

/** System control port B. */
export class SpeakerPort extends BankedDevice implements PortDevice {
  readonly ports: PortRange = {first: 0x61, count: 1};
  readonly widest = 1;
  readonly #clock: DeviceClock;
  readonly #pit: Pit8254;

  constructor(clock: DeviceClock, pit: Pit8254) {
    super('speaker-port', 1);
    this.#clock = clock;
    this.#pit = pit;
  }

  read(): number {
    const refresh = this.#clock.ticks(REFRESH_HERTZ) & 1;
    return this.byte(0) | this.#pit.gate(2) | (refresh << 4) | (this.#pit.output(2) << 5);
  }

  write(_offset: number, _bytes: number, value: number): void {
    this.#pit.setGate(2, (value & 1) === 1 ? 1 : 0);
    this.setByte(0, value & 0xe);
  }
}

/** The wires that the keyboard controller and port 92h share: address line 20, and RESET. Byte 0: A20 is held low. */
export class ResetAndA20 extends BankedDevice {
  constructor() {
    super('reset-and-a20', 2);
  }

  /** Whether addresses may have bit 20 set. It is enabled from the start, as firmware leaves it. */
  get isA20Enabled(): boolean {
    return this.byte(0) === 0;
  }
  setA20(state: 'enabled' | 'disabled'): void {
    this.setByte(0, state === 'enabled' ? 0 : 1);
  }
  /** Whether somebody pulled the reset line. */
  get isResetRequested(): boolean {
    return this.byte(1) === 1;
  }
  requestReset(): void {
    this.setByte(1, 1);
  }
}

/** System control port A. */
export class SystemControlPortA extends BankedDevice implements PortDevice {
  readonly ports: PortRange = {first: 0x92, count: 1};
  readonly widest = 1;
  readonly #wires: ResetAndA20;

  constructor(wires: ResetAndA20) {
    super('system-control-port-a', 1);
    this.#wires = wires;
  }

  read(): number {
    return (this.byte(0) & 1) | (this.#wires.isA20Enabled ? 2 : 0);
  }

  write(_offset: number, _bytes: number, value: number): void {
    this.#wires.setA20((value & 2) === 0 ? 'disabled' : 'enabled');
    if ((value & 1) === 1 && this.byte(0) === 0) this.#wires.requestReset();
    this.setByte(0, value & 1);
  }
}
