// The serial port: a 16550 at 0x3f8. Bytes leave at once, so the transmitter is always empty, and none is ever lost.
// National Semiconductor, "PC16550D Universal Asynchronous Receiver/Transmitter with FIFOs".
//
//   offset  read                 write                 with DLAB = 1
//   0       RBR received byte    THR byte to send      DLL divisor, low
//   1       IER interrupt enable                       DLM divisor, high
//   2       IIR interrupt id     FCR FIFO control
//   3       LCR line control (bit 7: DLAB)
//   4       MCR modem control (bit 4: loopback)
//   5       LSR line status (bit 0 DR, 5 THRE, 6 TEMT)
//   6       MSR modem status
//   7       SCR scratch

import type {Bank} from '../observer.js';
import type {PortDevice, PortRange, WillWrite} from './port-map.js';
import type {Level} from './interrupt-line.js';
import {OutputLog} from './output-log.js';

const IER = 0,
  LCR = 1,
  MCR = 2,
  SCR = 3,
  DLL = 4,
  DLM = 5,
  FCR = 6,
  THRE_PENDING = 7,
  LOOPED = 8,
  LOOPED_FULL = 9;
/** 32-bit counters behind the registers: bytes sent, bytes that arrived, bytes read. */
const SENT = 12,
  ARRIVED = 16,
  TAKEN = 20,
  BANK_BYTES = 24;

const LCR_DLAB = 0x80;
const MCR_LOOPBACK = 0x10;
const LSR_DATA_READY = 1,
  LSR_EMPTY = 0x60;
const IIR_NONE = 1,
  IIR_TRANSMITTER = 2,
  IIR_RECEIVED = 4,
  IIR_CHARACTER_TIMEOUT = 0xc,
  IIR_FIFOS = 0xc0;
/** FCR 7:6: how many bytes wait before the FIFO interrupts; fewer do after a pause, which has always passed here. */
const TRIGGER_LEVELS = [1, 4, 8, 14] as const;
const FCR_ENABLE = 1,
  FCR_KEPT = 0xc9;
/** CTS, DSR and DCD: somebody is at the other end. */
const MSR_CONNECTED = 0xb0;

/** Where its registers and counters lie in its bank, for whoever looks at one. */
export const UART_BYTES = {IER, LCR, MCR, SCR, DLL, DLM, FCR, THRE_PENDING, SENT, ARRIVED, TAKEN} as const;

export class Uart16550 implements PortDevice {
  readonly name: string;
  readonly ports: PortRange;
  readonly widest = 1;
  readonly bank: Bank;
  willWrite: WillWrite | undefined;
  /** Called with each byte sent, when it is sent. */
  onOutput: ((byte: number) => void) | undefined;
  /** The interrupt line, IRQ 4 for the first port: called with its level after every access. */
  onInterrupt: ((level: Level) => void) | undefined;
  readonly #state: DataView;
  readonly #sent = new OutputLog();
  readonly #arrived = new OutputLog();

  constructor(first = 0x3f8, name = 'uart') {
    this.name = name;
    this.ports = {first, count: 8};
    this.bank = {name, bytes: new Uint8Array(BANK_BYTES)};
    this.#state = new DataView(this.bank.bytes.buffer);
    this.#set(DLL, 1);
  }

  /** Everything sent so far. */
  get output(): Uint8Array {
    return this.#sent.first(this.#counter(SENT));
  }
  /** Bytes that arrive on the line. They wait until the program reads them. */
  receive(bytes: Uint8Array): void {
    for (const byte of bytes) {
      this.#arrived.put(this.#counter(ARRIVED), byte);
      this.#count(ARRIVED);
    }
    this.#drive();
  }
  /**
   * The interrupt line: something is pending and enabled. On the card of the first PCs OUT2 had to let it out; chips of
   * today and the emulators that teaching systems are tried on do not ask for that, and some such systems leave it low.
   */
  get interruptLine(): boolean {
    return (this.#get(MCR) & MCR_LOOPBACK) === 0 && this.#pending() !== IIR_NONE;
  }

  read(offset: number): number {
    const value = this.#read(offset);
    this.#drive();
    return value;
  }

  write(offset: number, _bytes: number, value: number): void {
    this.#write(offset, value);
    this.#drive();
  }

  #drive(): void {
    this.onInterrupt?.(this.interruptLine ? 1 : 0);
  }

  #read(offset: number): number {
    const dlab = (this.#get(LCR) & LCR_DLAB) !== 0;
    switch (offset) {
      case 0:
        return dlab ? this.#get(DLL) : this.#takeByte();
      case 1:
        return dlab ? this.#get(DLM) : this.#get(IER);
      case 2:
        return this.#identifyInterrupt();
      case 3:
        return this.#get(LCR);
      case 4:
        return this.#get(MCR);
      case 5:
        return LSR_EMPTY | (this.#hasByte() ? LSR_DATA_READY : 0);
      case 6:
        return this.#modemStatus();
      default:
        return this.#get(SCR);
    }
  }

  #write(offset: number, value: number): void {
    const dlab = (this.#get(LCR) & LCR_DLAB) !== 0;
    switch (offset) {
      case 0:
        if (dlab) this.#set(DLL, value);
        else this.#send(value);
        break;
      case 1:
        if (dlab) this.#set(DLM, value);
        else this.#enable(value & 0xf);
        break;
      case 2:
        // Bytes that wait on the line are nobody's FIFO yet, so a program that clears its FIFO still gets them.
        this.#set(FCR, (value & FCR_ENABLE) === 0 ? 0 : value & FCR_KEPT);
        break;
      case 3:
        this.#set(LCR, value);
        break;
      case 4:
        this.#set(MCR, value & 0x1f);
        break;
      case 7:
        this.#set(SCR, value);
        break;
      default: // LSR and MSR are read-only.
    }
  }

  #send(byte: number): void {
    if ((this.#get(MCR) & MCR_LOOPBACK) !== 0) {
      this.#set(LOOPED, byte);
      this.#set(LOOPED_FULL, 1);
    } else this.putOnLine(byte);
    this.#set(THRE_PENDING, 1);
  }

  /** A byte leaves on the line. Whoever stands behind the port may put one there too: no register of the program's shows it. */
  putOnLine(byte: number): void {
    this.#sent.put(this.#counter(SENT), byte);
    this.#count(SENT);
    this.onOutput?.(byte);
  }

  /** Enabling the transmitter interrupt while the transmitter is empty raises it. */
  #enable(value: number): void {
    if ((value & 2) !== 0 && (this.#get(IER) & 2) === 0) this.#set(THRE_PENDING, 1);
    this.#set(IER, value);
  }

  #hasByte(): boolean {
    if ((this.#get(MCR) & MCR_LOOPBACK) !== 0) return this.#get(LOOPED_FULL) === 1;
    return this.#counter(TAKEN) < this.#counter(ARRIVED);
  }
  #takeByte(): number {
    if (!this.#hasByte()) return 0;
    if ((this.#get(MCR) & MCR_LOOPBACK) !== 0) {
      this.#set(LOOPED_FULL, 0);
      return this.#get(LOOPED);
    }
    const byte = this.#arrived.at(this.#counter(TAKEN));
    this.#count(TAKEN);
    return byte;
  }

  #pending(): number {
    const enabled = this.#get(IER);
    if ((enabled & 1) !== 0 && this.#hasByte()) return this.#receivedReason();
    if ((enabled & 2) !== 0 && this.#get(THRE_PENDING) === 1) return IIR_TRANSMITTER;
    return IIR_NONE;
  }
  /** With the FIFO on, fewer bytes than its trigger level count as the rest of a message: a character timeout. */
  #receivedReason(): number {
    const control = this.#get(FCR);
    if ((control & FCR_ENABLE) === 0 || (this.#get(MCR) & MCR_LOOPBACK) !== 0) return IIR_RECEIVED;
    const waiting = this.#counter(ARRIVED) - this.#counter(TAKEN);
    return waiting >= (TRIGGER_LEVELS[control >> 6] ?? 1) ? IIR_RECEIVED : IIR_CHARACTER_TIMEOUT;
  }
  /** Reading IIR acknowledges a transmitter interrupt. */
  #identifyInterrupt(): number {
    const pending = this.#pending();
    if (pending === IIR_TRANSMITTER) this.#set(THRE_PENDING, 0);
    return pending | ((this.#get(FCR) & FCR_ENABLE) === 0 ? 0 : IIR_FIFOS);
  }
  /** In loopback RTS, DTR, OUT1, OUT2 come back as CTS, DSR, RI, DCD. */
  #modemStatus(): number {
    const control = this.#get(MCR);
    if ((control & MCR_LOOPBACK) === 0) return MSR_CONNECTED;
    return ((control & 2) << 3) | ((control & 1) << 5) | ((control & 4) << 4) | ((control & 8) << 4);
  }

  #get(register: number): number {
    return this.#state.getUint8(register);
  }
  #set(register: number, value: number): void {
    this.willWrite?.(this.name, register, 1);
    this.#state.setUint8(register, value);
  }
  #counter(at: number): number {
    return this.#state.getUint32(at, true);
  }
  #count(at: number): void {
    this.willWrite?.(this.name, at, 4);
    this.#state.setUint32(at, this.#counter(at) + 1, true);
  }
}
