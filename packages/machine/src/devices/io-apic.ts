// The IOAPIC at FEC0_0000: 24 inputs, each with an entry that says which vector it sends, and to whom.
// Intel, "82093AA I/O Advanced Programmable Interrupt Controller (IOAPIC)".
//
//   00h index · 10h data    index 0 id, 1 version, 2 arbitration, 10h + 2n, 11h + 2n entry n
//   entry: 7:0 vector · 10:8 delivery · 11 logical · 13 polarity · 14 remote IRR · 15 level · 16 masked · 63:56 destination

import {BankedDevice} from './banked-device.js';
import type {Level} from './interrupt-line.js';

const PINS = 24;
const INDEX = 0,
  ID = 4,
  LINES = 8,
  TABLE = 16;
const VERSION = ((PINS - 1) << 16) | 0x20;
const LOGICAL = 0x800,
  REMOTE_IRR = 0x4000,
  LEVEL = 0x8000,
  MASKED = 0x1_0000;
/** Delivery status (12) and remote IRR are read-only. */
const WRITABLE = 0x1_afff;
const DATA = 0x10;

/** Where messages go: the local APIC. */
export interface InterruptMessages {
  isDestination(destination: number, mode: 'physical' | 'logical'): boolean;
  accept(vector: number, trigger: 'edge' | 'level'): void;
  hears(vector: number): boolean;
}

/** Where its state lies in its bank, for whoever looks at one. */
export const IO_APIC_BYTES = {INDEX, ID, LINES, TABLE, PINS} as const;

export class IoApic extends BankedDevice {
  readonly #messages: InterruptMessages;

  constructor(messages: InterruptMessages) {
    super('io-apic', TABLE + 8 * PINS);
    this.#messages = messages;
    for (let pin = 0; pin < PINS; pin++) this.setWord(TABLE + 8 * pin, MASKED);
  }

  setLine(pin: number, level: Level): void {
    const before = (this.word(LINES) >>> pin) & 1;
    this.setWord(LINES, level === 1 ? this.word(LINES) | (1 << pin) : this.word(LINES) & ~(1 << pin));
    if (level === 1 && (before === 0 || this.#isLevel(pin))) this.#send(pin);
  }
  /** Whether a rise of the pin would reach the processor now. */
  hears(pin: number): boolean {
    const entry = this.#entry(pin);
    return (entry & MASKED) === 0 && this.#reaches(pin) && this.#messages.hears(entry & 0xff);
  }
  /** EOI of a level-triggered vector: an input that is still high sends again. */
  endOfInterrupt(vector: number): void {
    for (let pin = 0; pin < PINS; pin++) {
      const entry = this.#entry(pin);
      if ((entry & REMOTE_IRR) === 0 || (entry & 0xff) !== vector) continue;
      this.setWord(TABLE + 8 * pin, entry & ~REMOTE_IRR);
      if (((this.word(LINES) >>> pin) & 1) === 1) this.#send(pin);
    }
  }

  readRegister(offset: number): number {
    if (offset === 0) return this.byte(INDEX);
    if (offset !== DATA) return 0;
    const index = this.byte(INDEX);
    switch (index) {
      case 0:
      case 2:
        return this.word(ID);
      case 1:
        return VERSION;
      default:
        return index >= DATA && index < DATA + 2 * PINS ? this.word(TABLE + 4 * (index - DATA)) : 0;
    }
  }

  writeRegister(offset: number, value: number): void {
    if (offset === 0) return this.setByte(INDEX, value & 0xff);
    if (offset !== DATA) return;
    const index = this.byte(INDEX);
    if (index === 0) this.setWord(ID, value & 0x0f00_0000);
    else if (index >= DATA && index < DATA + 2 * PINS) this.#writeEntry(index - DATA, value);
  }

  #writeEntry(half: number, value: number): void {
    const at = TABLE + 4 * half;
    if ((half & 1) === 1) return this.setWord(at, value);
    const next = (value & WRITABLE) | (this.word(at) & ((value & LEVEL) === 0 ? 0 : REMOTE_IRR));
    this.setWord(at, next);
    const pin = half >> 1;
    if (this.#isLevel(pin) && ((this.word(LINES) >>> pin) & 1) === 1) this.#send(pin);
  }

  #send(pin: number): void {
    const entry = this.#entry(pin);
    if ((entry & (MASKED | REMOTE_IRR)) !== 0 || !this.#reaches(pin)) return;
    if (this.#isLevel(pin)) this.setWord(TABLE + 8 * pin, entry | REMOTE_IRR);
    this.#messages.accept(entry & 0xff, this.#isLevel(pin) ? 'level' : 'edge');
  }
  #reaches(pin: number): boolean {
    const mode = (this.#entry(pin) & LOGICAL) === 0 ? 'physical' : 'logical';
    return this.#messages.isDestination(this.word(TABLE + 8 * pin + 4) >>> 24, mode);
  }
  #entry(pin: number): number {
    return this.word(TABLE + 8 * pin);
  }
  #isLevel(pin: number): boolean {
    return (this.#entry(pin) & LEVEL) !== 0;
  }
}
