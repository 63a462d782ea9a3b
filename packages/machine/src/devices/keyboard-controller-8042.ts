// The keyboard controller and a keyboard behind it: the oldest wires of the PC hang here, A20 and reset among them.
// IBM, "PC AT Technical Reference", "Keyboard Controller", "Keyboard". There is no mouse.
//
//   60h  data       read: what the controller or the keyboard has sent      write: to the keyboard, or to a command
//   64h  read: status  0 output full · 1 input full · 2 system flag · 3 last write was a command · 4 not locked
//        write: command

import {BankedDevice} from './banked-device.js';
import {UNCONNECTED} from './interrupt-line.js';
import type {InterruptLine} from './interrupt-line.js';
import {KeyboardReplies} from './keyboard-replies.js';
import type {PortDevice, PortRange} from './port-map.js';
import type {ResetAndA20} from './system-control-ports.js';

const OUTPUT = 0,
  OUTPUT_FULL = 1,
  STATUS = 2,
  COMMAND_BYTE = 3,
  /** The command whose data byte comes next, at 60h. */
  AWAITED = 4,
  KEYBOARD = 5,
  QUEUE_LENGTH = 8,
  QUEUE = 12,
  QUEUE_BYTES = 256;
const DATA = 0,
  COMMAND = 4;

const STATUS_OUTPUT_FULL = 1,
  STATUS_SYSTEM = 4,
  STATUS_COMMAND = 8,
  STATUS_UNLOCKED = 0x10;
const BYTE_INTERRUPT = 1,
  BYTE_SYSTEM = 4,
  BYTE_DISABLED = 0x10;
const READ_BYTE = 0x20,
  WRITE_BYTE = 0x60,
  SELF_TEST = 0xaa,
  TEST_KEYBOARD = 0xab,
  DISABLE = 0xad,
  ENABLE = 0xae,
  READ_INPUT = 0xc0,
  READ_OUTPUT = 0xd0,
  WRITE_OUTPUT = 0xd1,
  ECHO_OUTPUT = 0xd2,
  DISABLE_A20 = 0xdd,
  ENABLE_A20 = 0xdf,
  PULSE = 0xf0;
/** The output port: bit 0 reset (low resets), 1 A20, 4 output full. */
const PORT_NO_RESET = 1,
  PORT_A20 = 2,
  PORT_OUTPUT_FULL = 0x10;
const SELF_TEST_PASSED = 0x55;

/** Where its state lies in its bank, for whoever looks at one. */
export const KEYBOARD_BYTES = {OUTPUT, OUTPUT_FULL, STATUS, COMMAND_BYTE, QUEUE_LENGTH, QUEUE} as const;

export class KeyboardController8042 extends BankedDevice implements PortDevice {
  readonly ports: PortRange = {first: 0x60, count: 1};
  readonly also: readonly PortRange[] = [{first: 0x64, count: 1}];
  readonly widest = 1;
  readonly #wires: ResetAndA20;
  readonly #line: InterruptLine;
  readonly #keyboard = new KeyboardReplies({
    get: () => this.byte(KEYBOARD),
    set: value => this.setByte(KEYBOARD, value),
  });

  constructor(wires: ResetAndA20, line: InterruptLine = UNCONNECTED) {
    super('keyboard-controller', QUEUE + QUEUE_BYTES);
    this.#wires = wires;
    this.#line = line;
    // As firmware leaves it: interrupt on, self-test passed, scan codes translated to set 1.
    this.setByte(COMMAND_BYTE, 0x45);
    this.setByte(STATUS, STATUS_SYSTEM);
  }

  /**
   * Keys are pressed and released: scan codes of set 1, E0 prefixes and break codes included. They wait until the
   * program has taken what came before; beyond 256 waiting bytes they are lost, as on a keyboard.
   */
  type(scanCodes: Uint8Array): void {
    for (const code of scanCodes) this.#enqueue(code);
    this.#deliver();
  }

  read(offset: number): number {
    if (offset === COMMAND) {
      return this.byte(STATUS) | STATUS_UNLOCKED | (this.byte(OUTPUT_FULL) === 1 ? STATUS_OUTPUT_FULL : 0);
    }
    const value = this.byte(OUTPUT);
    if (this.byte(OUTPUT_FULL) === 1) {
      this.setByte(OUTPUT_FULL, 0);
      this.#line.set(0);
      this.#deliver();
    }
    return value;
  }

  write(offset: number, _bytes: number, value: number): void {
    this.setByte(STATUS, (this.byte(STATUS) & STATUS_SYSTEM) | (offset === COMMAND ? STATUS_COMMAND : 0));
    if (offset === COMMAND) this.#command(value);
    else if (offset === DATA) this.#data(value);
  }

  #command(value: number): void {
    this.setByte(AWAITED, 0);
    switch (value) {
      case READ_BYTE:
        return this.#answer(this.byte(COMMAND_BYTE));
      case WRITE_BYTE:
      case WRITE_OUTPUT:
      case ECHO_OUTPUT:
        return this.setByte(AWAITED, value);
      case SELF_TEST:
        this.setByte(STATUS, this.byte(STATUS) | STATUS_SYSTEM);
        return this.#answer(SELF_TEST_PASSED);
      case TEST_KEYBOARD:
        return this.#answer(0);
      case DISABLE:
        return this.#setCommandByte(this.byte(COMMAND_BYTE) | BYTE_DISABLED);
      case ENABLE:
        return this.#setCommandByte(this.byte(COMMAND_BYTE) & ~BYTE_DISABLED);
      case READ_INPUT:
        return this.#answer(0x80); // Keyboard not locked.
      case READ_OUTPUT:
        return this.#answer(this.#outputPort);
      case DISABLE_A20:
        return this.#wires.setA20('disabled');
      case ENABLE_A20:
        return this.#wires.setA20('enabled');
      default:
        // Pulse: bits that are 0 go low for 6 µs; bit 0 is the processor's reset.
        if (value >= PULSE && (value & PORT_NO_RESET) === 0) this.#wires.requestReset();
    }
  }

  #data(value: number): void {
    const awaited = this.byte(AWAITED);
    this.setByte(AWAITED, 0);
    switch (awaited) {
      case WRITE_BYTE:
        return this.#setCommandByte(value);
      case WRITE_OUTPUT:
        this.#wires.setA20((value & PORT_A20) === 0 ? 'disabled' : 'enabled');
        if ((value & PORT_NO_RESET) === 0) this.#wires.requestReset();
        return;
      case ECHO_OUTPUT:
        return this.#answer(value);
      default:
        // Speaking to the keyboard switches it on.
        this.#setCommandByte(this.byte(COMMAND_BYTE) & ~BYTE_DISABLED);
        for (const reply of this.#keyboard.answer(value)) this.#enqueue(reply);
        this.#deliver();
    }
  }

  get #outputPort(): number {
    const full = this.byte(OUTPUT_FULL) === 1 ? PORT_OUTPUT_FULL : 0;
    return PORT_NO_RESET | (this.#wires.isA20Enabled ? PORT_A20 : 0) | full;
  }

  #setCommandByte(value: number): void {
    this.setByte(COMMAND_BYTE, value);
    this.setByte(STATUS, (this.byte(STATUS) & ~STATUS_SYSTEM) | (value & BYTE_SYSTEM));
    this.#drive();
    this.#deliver();
  }

  /** The controller's own answer goes before whatever the keyboard has sent; a key that was in its place waits again. */
  #answer(value: number): void {
    const length = this.byte(QUEUE_LENGTH);
    if (this.byte(OUTPUT_FULL) === 1 && length < QUEUE_BYTES) {
      for (let at = length; at > 0; at--) this.setByte(QUEUE + at, this.byte(QUEUE + at - 1));
      this.setByte(QUEUE, this.byte(OUTPUT));
      this.setByte(QUEUE_LENGTH, length + 1);
    }
    this.setByte(OUTPUT, value);
    this.setByte(OUTPUT_FULL, 1);
    this.#drive();
  }
  #enqueue(value: number): void {
    const length = this.byte(QUEUE_LENGTH);
    if (length === QUEUE_BYTES) return;
    this.setByte(QUEUE + length, value);
    this.setByte(QUEUE_LENGTH, length + 1);
  }
  /** The next byte from the keyboard, if its line is on and the last one was taken. */
  #deliver(): void {
    const length = this.byte(QUEUE_LENGTH);
    const isDisabled = (this.byte(COMMAND_BYTE) & BYTE_DISABLED) !== 0;
    if (length === 0 || isDisabled || this.byte(OUTPUT_FULL) === 1) return;
    this.setByte(OUTPUT, this.byte(QUEUE));
    for (let at = 1; at < length; at++) this.setByte(QUEUE + at - 1, this.byte(QUEUE + at));
    this.setByte(QUEUE_LENGTH, length - 1);
    this.setByte(OUTPUT_FULL, 1);
    this.#drive();
  }
  #drive(): void {
    this.#line.set(this.byte(OUTPUT_FULL) === 1 && (this.byte(COMMAND_BYTE) & BYTE_INTERRUPT) !== 0 ? 1 : 0);
  }
}
