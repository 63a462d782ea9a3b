// The devices behind a KVM guest's ports: the first serial port, the ports that end a run, captured ports. Everything
// else reads as all ones and is counted, as on a bus where nobody answers.

import type {PortOptions, RunOutcome} from '@hyperscope/vmm';

const SERIAL = {base: 0x3f8, last: 0x3ff} as const;
/** Offsets of a 16550: data, interrupt enable, line control, line status, scratch. */
const UART = {DATA: 0, INTERRUPT_ENABLE: 1, INTERRUPT_IDENTIFICATION: 2, LINE_CONTROL: 3, LINE_STATUS: 5, MODEM_STATUS: 6, SCRATCH: 7} as const;
/** LSR: the transmitter is empty, and a byte has arrived. */
const LINE_STATUS = {TRANSMITTER_EMPTY: 0x60, DATA_READY: 1} as const;
const ACPI_POWER_OFF = 0x2000;

export class PortBoard {
  /** Set by a write to a port that ends the run. */
  outcome: RunOutcome | undefined;
  /** Bytes that arrived at the serial port's line, in order. */
  readonly serial: number[] = [];
  readonly #options: PortOptions;
  readonly #captured = new Map<number, number[]>();
  readonly #unknown = new Map<number, number>();
  readonly #uart = new Uint8Array(8);
  readonly #divisor = new Uint8Array(2);
  readonly #input: number[] = [];

  constructor(options: PortOptions) {
    this.#options = options;
    for (const port of options.capturePorts) this.#captured.set(port, []);
  }

  /** Bytes for the guest to read from the serial port. */
  sendSerial(bytes: Uint8Array): void { this.#input.push(...bytes); }
  captured(port: number): Uint8Array { return Uint8Array.from(this.#captured.get(port) ?? []); }
  unknownPorts(): ReadonlyMap<number, number> { return this.#unknown; }

  /** OUT. `width` in bits. */
  write(port: number, width: 8 | 16 | 32, value: number): void {
    const kept = this.#captured.get(port);
    if (kept !== undefined) for (let byte = 0; byte < width / 8; byte++) kept.push((value >>> (byte * 8)) & 0xff);
    if (port === this.#options.exitPort) this.outcome = {kind: 'debug-exit', value: ((value << 1) | 1) >>> 0};
    else if (port === this.#options.powerOffPort) this.#powerControl(value);
    else if (port >= SERIAL.base && port <= SERIAL.last) this.#writeSerial(port - SERIAL.base, value & 0xff);
    else if (kept === undefined) this.#count(port);
  }

  /** IN. Nobody there: all ones. */
  read(port: number, width: 8 | 16 | 32): number {
    if (port >= SERIAL.base && port <= SERIAL.last) return this.#readSerial(port - SERIAL.base);
    if (!this.#captured.has(port)) this.#count(port);
    return width === 32 ? 0xffff_ffff : (1 << width) - 1;
  }

  #powerControl(value: number): void {
    if ((value & ACPI_POWER_OFF) !== 0) this.outcome = {kind: 'power-off'};
  }

  #count(port: number): void { this.#unknown.set(port, (this.#unknown.get(port) ?? 0) + 1); }

  /** Line control bit 7 makes the first two ports the baud-rate divisor. */
  get #divisorIsVisible(): boolean { return ((this.#uart[UART.LINE_CONTROL] ?? 0) & 0x80) !== 0; }

  #writeSerial(offset: number, value: number): void {
    if (offset <= UART.INTERRUPT_ENABLE && this.#divisorIsVisible) this.#divisor[offset] = value;
    else if (offset === UART.DATA) this.serial.push(value);
    else this.#uart[offset] = value;
  }

  #readSerial(offset: number): number {
    if (offset <= UART.INTERRUPT_ENABLE && this.#divisorIsVisible) return this.#divisor[offset] ?? 0;
    switch (offset) {
      case UART.DATA: return this.#input.shift() ?? 0;
      case UART.INTERRUPT_IDENTIFICATION: return 1; // no interrupt pending
      case UART.LINE_STATUS: return LINE_STATUS.TRANSMITTER_EMPTY | (this.#input.length > 0 ? LINE_STATUS.DATA_READY : 0);
      case UART.MODEM_STATUS: return 0xb0; // carrier, ring, ready: somebody is at the other end
      default: return this.#uart[offset] ?? 0;
    }
  }
}
