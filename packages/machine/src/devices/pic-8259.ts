// The interrupt controller of a PC: two 8259A, the second one's INT on IR2 of the first.
// Intel, "8259A Programmable Interrupt Controller"; ELCR: Intel, "82371SB PIIX3", "Edge/Level Control Registers".
//
//   20h, 21h first · a0h, a1h second      write 20h: bit 4 ICW1 · bit 3 OCW3 · else OCW2     read: IRR or ISR (OCW3)
//   4d0h, 4d1h ELCR: 1 level, 0 edge      write 21h: ICW2 vectors, ICW3 cascade, ICW4 after ICW1 · else OCW1 = IMR

import type {PortDevice, PortRange} from './port-map.js';
import {BankedDevice} from './banked-device.js';
import type {Level} from './interrupt-line.js';
import {Pic8259} from './pic-8259-chip.js';

const CASCADE = 2;
const SECOND_FIRST_PORT = 0x80,
  ELCR_FIRST_PORT = 0x4b0;
/** IRQ 0, 1, 2 of the first chip and 8, 13 of the second cannot be level-triggered. */
const ELCR_WRITABLE = [0xf8, 0xde] as const;

export class Pic8259Pair extends BankedDevice implements PortDevice {
  readonly ports: PortRange = {first: 0x20, count: 2};
  readonly also: readonly PortRange[] = [
    {first: 0xa0, count: 2},
    {first: 0x4d0, count: 2},
  ];
  readonly widest = 1;
  readonly #first: Pic8259;
  readonly #second: Pic8259;

  constructor() {
    super('pic', 2 * Pic8259.BYTES);
    const access = (base: number) => ({
      get: (at: number) => this.byte(base + at),
      set: (at: number, value: number) => this.setByte(base + at, value),
    });
    this.#first = new Pic8259(access(0));
    this.#second = new Pic8259(access(Pic8259.BYTES));
  }

  /** Whether INTR is asserted. */
  get isRequesting(): boolean {
    return this.#first.request !== undefined;
  }
  /** The vector that INTA would give now; undefined when INTR is not asserted. Changes nothing. */
  get requested(): number | undefined {
    const irq = this.#first.request;
    if (irq !== CASCADE) return irq === undefined ? undefined : this.#first.vectorOf(irq);
    return this.#second.vectorOf(this.#second.request ?? 7);
  }
  /** INTA: the vector. Where the request has gone meanwhile it is that of IRQ 7 (15), the spurious interrupt. */
  acknowledge(): number {
    const irq = this.#first.request;
    if (irq === undefined) return this.#first.vectorOf(7);
    this.#first.accept(irq);
    if (irq !== CASCADE) return this.#first.vectorOf(irq);
    const inner = this.#second.request;
    if (inner !== undefined) this.#second.accept(inner);
    this.#cascade();
    return this.#second.vectorOf(inner ?? 7);
  }

  /** Drives IRQ 0 to 15 (2 is the cascade and cannot be driven). */
  setLine(irq: number, level: Level): void {
    if (irq === CASCADE) return;
    if (irq < 8) this.#first.setLine(irq, level);
    else this.#second.setLine(irq - 8, level);
    this.#cascade();
  }
  /** Whether a rising edge of `irq` would assert INTR now. */
  hears(irq: number): boolean {
    if (irq < 8) return this.#first.hears(irq);
    return this.#second.hears(irq - 8) && this.#first.hears(CASCADE);
  }

  read(offset: number): number {
    switch (offset) {
      case 0:
      case 1:
        return this.#readChip(this.#first, offset);
      case SECOND_FIRST_PORT:
      case SECOND_FIRST_PORT + 1:
        return this.#readChip(this.#second, offset - SECOND_FIRST_PORT);
      default:
        return (offset === ELCR_FIRST_PORT ? this.#first : this.#second).levelTriggered;
    }
  }

  write(offset: number, _bytes: number, value: number): void {
    if (offset <= 1) this.#first.write(offset, value);
    else if (offset < ELCR_FIRST_PORT) this.#second.write(offset - SECOND_FIRST_PORT, value);
    else if (offset === ELCR_FIRST_PORT) this.#first.levelTriggered = value & ELCR_WRITABLE[0];
    else this.#second.levelTriggered = value & ELCR_WRITABLE[1];
    this.#cascade();
  }

  #readChip(chip: Pic8259, offset: number): number {
    const value = chip.read(offset);
    this.#cascade(); // A poll is an acknowledgement.
    return value;
  }
  /** IR2 of the first chip is whatever INT of the second is. */
  #cascade(): void {
    this.#first.follow(CASCADE, this.#second.request === undefined ? 0 : 1);
  }
}
