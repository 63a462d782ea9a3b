// The interval timer of a PC: an 8254 whose crystal ticks 1,193,182 times a second. OUT of counter 0 is IRQ 0, counter 2
// makes the sound and can be watched through port 61h. Intel, "8254 Programmable Interval Timer".
//
//   40h, 41h, 42h counters · 43h control word:  7:6 counter (3: read-back) · 5:4 access (0: latch) · 3:1 mode · 0 BCD

import {BankedDevice} from './banked-device.js';
import type {DeviceClock, DeviceTimer} from './device-clock.js';
import type {InterruptLine, Level} from './interrupt-line.js';
import {UNCONNECTED} from './interrupt-line.js';
import {countAfter, fromBcd, nextRiseAfter, outputAfter, startsByGate, toBcd} from './pit-counter.js';
import type {CounterShape} from './pit-counter.js';
import type {PortDevice, PortRange} from './port-map.js';

export const PIT_HERTZ = 1_193_182;

/** A counter's bytes; times are in ticks of the crystal. */
const MODE = 0,
  BCD = 1,
  ACCESS = 2,
  /** Whether the next byte written, read, is the second one. */
  WRITE_SECOND = 3,
  READ_SECOND = 4,
  FIRST_WRITTEN = 5,
  COUNT_LATCHED = 6,
  STATUS_LATCHED = 7,
  STATUS = 8,
  GATE = 9,
  /** 0 waits for a count · 1 counts · 2 stands still because of the gate · 3 waits for the gate. */
  PHASE = 10,
  COUNT = 12,
  LATCH = 16,
  /** When it was started; while it stands still, how far it had come. */
  START = 24;
const COUNTER_BYTES = 32;
const WAITS_FOR_COUNT = 0,
  COUNTS = 1,
  STANDS = 2,
  WAITS_FOR_GATE = 3;
const LOW_BYTE = 1,
  HIGH_BYTE = 2;
/** The mode in which firmware leaves every counter: OUT is high. No count is loaded, so nothing ticks yet. */
const SQUARE_WAVE = 3;
const CONTROL = 3,
  READ_BACK = 3;

/** Where a counter's bytes lie, for whoever looks at a bank. */
export const PIT_BYTES = {counter: COUNTER_BYTES, MODE, BCD, ACCESS, GATE, PHASE, COUNT, START} as const;

export class Pit8254 extends BankedDevice implements PortDevice {
  readonly ports: PortRange = {first: 0x40, count: 4};
  readonly widest = 1;
  readonly #clock: DeviceClock;
  readonly #line: InterruptLine;
  readonly #timer: DeviceTimer;

  constructor(clock: DeviceClock, line: InterruptLine = UNCONNECTED) {
    super('pit', 3 * COUNTER_BYTES);
    this.#clock = clock;
    this.#line = line;
    this.#timer = clock.timer(
      () => this.#rise(),
      () => line.isHeard,
    );
    for (const counter of [0, 1, 2]) {
      this.#set(counter, MODE, SQUARE_WAVE);
      this.#set(counter, ACCESS, LOW_BYTE | HIGH_BYTE);
      this.#set(counter, GATE, counter === 2 ? 0 : 1);
    }
    this.#drive(0);
  }

  /** OUT of a counter now. Before a first count it is high, except in mode 0. */
  output(counter: number): Level {
    const mode = this.#get(counter, MODE);
    switch (this.#get(counter, PHASE)) {
      case WAITS_FOR_COUNT:
        return mode === 0 ? 0 : 1;
      case WAITS_FOR_GATE:
        return 1;
      case STANDS:
        // A low gate forces OUT high in modes 2 and 3 and leaves it as it was in 0 and 4.
        return mode === 2 || mode === 3 ? 1 : outputAfter(this.#shape(counter), this.#elapsed(counter));
      default:
        return outputAfter(this.#shape(counter), this.#elapsed(counter));
    }
  }
  gate(counter: number): Level {
    return this.#get(counter, GATE) === 1 ? 1 : 0;
  }

  /** The gate of counter 2 is bit 0 of port 61h; the others are always high. */
  setGate(counter: number, level: Level): void {
    const before = this.#get(counter, GATE);
    if (before === level) return;
    const phase = this.#get(counter, PHASE);
    const mode = this.#get(counter, MODE);
    const elapsed = this.#elapsed(counter);
    this.#set(counter, GATE, level);
    if (phase === WAITS_FOR_COUNT) return;
    if (startsByGate(mode)) {
      if (level === 1) this.#startAt(counter, this.#now);
    } else if (level === 0) {
      this.#set(counter, PHASE, STANDS);
      this.#setStart(counter, elapsed);
    } else {
      this.#startAt(counter, this.#now - (mode === 2 || mode === 3 ? 0 : elapsed));
    }
  }

  read(offset: number): number {
    if (offset === CONTROL) return 0xff; // Write-only.
    if (this.#get(offset, STATUS_LATCHED) === 1) {
      this.#set(offset, STATUS_LATCHED, 0);
      return this.#get(offset, STATUS);
    }
    const access = this.#get(offset, ACCESS);
    const value = this.#get(offset, COUNT_LATCHED) === 1 ? this.#word(offset, LATCH) : this.#currentCount(offset);
    const second = access === HIGH_BYTE || this.#get(offset, READ_SECOND) === 1;
    const isLast = access !== (LOW_BYTE | HIGH_BYTE) || second;
    this.#set(offset, READ_SECOND, isLast ? 0 : 1);
    if (isLast) this.#set(offset, COUNT_LATCHED, 0);
    return second ? value >> 8 : value & 0xff;
  }

  write(offset: number, _bytes: number, value: number): void {
    if (offset !== CONTROL) return this.#writeCount(offset, value);
    const counter = value >> 6;
    if (counter === READ_BACK) {
      for (const each of [0, 1, 2]) if ((value & (2 << each)) !== 0) this.#readBack(each, value);
    } else if ((value & 0x30) === 0) {
      this.#latchCount(counter);
    } else {
      this.#control(counter, value);
    }
  }

  #control(counter: number, value: number): void {
    const mode = (value >> 1) & 7;
    this.#set(counter, MODE, mode > 5 ? mode - 4 : mode);
    this.#set(counter, BCD, value & 1);
    this.#set(counter, ACCESS, (value >> 4) & 3);
    for (const at of [WRITE_SECOND, READ_SECOND, COUNT_LATCHED, STATUS_LATCHED]) this.#set(counter, at, 0);
    this.#set(counter, PHASE, WAITS_FOR_COUNT);
    this.#drive(counter);
  }

  #writeCount(counter: number, value: number): void {
    const access = this.#get(counter, ACCESS);
    if (access === (LOW_BYTE | HIGH_BYTE) && this.#get(counter, WRITE_SECOND) === 0) {
      this.#set(counter, FIRST_WRITTEN, value);
      this.#set(counter, WRITE_SECOND, 1);
      return;
    }
    this.#set(counter, WRITE_SECOND, 0);
    if (access === LOW_BYTE) this.#load(counter, value);
    else this.#load(counter, (value << 8) | (access === HIGH_BYTE ? 0 : this.#get(counter, FIRST_WRITTEN)));
  }

  /** A count of 0 is the largest one. */
  #load(counter: number, written: number): void {
    const isBcd = this.#get(counter, BCD) === 1;
    const count = isBcd ? fromBcd(written) : written;
    this.#setWord(counter, COUNT, count === 0 ? (isBcd ? 10_000 : 0x1_0000) : count);
    const mode = this.#get(counter, MODE);
    if (startsByGate(mode)) {
      if (this.#get(counter, PHASE) === WAITS_FOR_COUNT) this.#set(counter, PHASE, WAITS_FOR_GATE);
    } else if (this.#get(counter, GATE) === 1) {
      this.#startAt(counter, this.#now);
    } else {
      this.#set(counter, PHASE, STANDS);
      this.#setStart(counter, 0);
    }
    this.#drive(counter);
  }

  #startAt(counter: number, tick: number): void {
    this.#set(counter, PHASE, COUNTS);
    this.#setStart(counter, tick);
    this.#drive(counter);
  }

  #readBack(counter: number, command: number): void {
    if ((command & 0x20) === 0) this.#latchCount(counter);
    if ((command & 0x10) !== 0 || this.#get(counter, STATUS_LATCHED) === 1) return;
    const isNull = this.#get(counter, PHASE) === WAITS_FOR_COUNT ? 0x40 : 0;
    const written = (this.#get(counter, ACCESS) << 4) | (this.#get(counter, MODE) << 1) | this.#get(counter, BCD);
    this.#set(counter, STATUS, (this.output(counter) << 7) | isNull | written);
    this.#set(counter, STATUS_LATCHED, 1);
  }
  /** A count that was latched and not yet read stays. */
  #latchCount(counter: number): void {
    if (this.#get(counter, COUNT_LATCHED) === 1) return;
    this.#setWord(counter, LATCH, this.#currentCount(counter));
    this.#set(counter, COUNT_LATCHED, 1);
  }
  /** As a program reads it: 16 bits, in BCD where that was asked for. */
  #currentCount(counter: number): number {
    const shape = this.#shape(counter);
    const count = countAfter(shape, this.#elapsed(counter)) % shape.modulus;
    return this.#get(counter, BCD) === 1 ? toBcd(count) : count;
  }

  /** Counter 0: OUT goes to IRQ 0 as it is now, and the timer waits for its next rise. */
  #drive(counter: number): void {
    if (counter !== 0) return;
    this.#line.set(this.output(0));
    if (this.#get(0, PHASE) !== COUNTS) return this.#timer.disarm();
    const rise = nextRiseAfter(this.#shape(0), this.#elapsed(0));
    if (rise === Infinity) this.#timer.disarm();
    else this.#timer.arm(this.#clock.cycleOf(this.time(START) + rise, PIT_HERTZ));
  }
  /** Periods that passed unseen gave one edge each, but the controller remembers a request only once. */
  #rise(): void {
    this.#line.set(0);
    this.#line.set(1);
    this.#drive(0);
  }

  #shape(counter: number): CounterShape {
    return {
      mode: this.#get(counter, MODE),
      count: Math.max(1, this.#word(counter, COUNT)),
      modulus: this.#get(counter, BCD) === 1 ? 10_000 : 0x1_0000,
    };
  }
  get #now(): number {
    return this.#clock.ticks(PIT_HERTZ);
  }
  #elapsed(counter: number): number {
    const start = this.time(counter * COUNTER_BYTES + START);
    switch (this.#get(counter, PHASE)) {
      case COUNTS:
        return this.#now - start;
      case STANDS:
        return start;
      default:
        return 0;
    }
  }

  #get(counter: number, at: number): number {
    return this.byte(counter * COUNTER_BYTES + at);
  }
  #set(counter: number, at: number, value: number): void {
    this.setByte(counter * COUNTER_BYTES + at, value);
  }
  #word(counter: number, at: number): number {
    return this.word(counter * COUNTER_BYTES + at);
  }
  #setWord(counter: number, at: number, value: number): void {
    this.setWord(counter * COUNTER_BYTES + at, value);
  }
  #setStart(counter: number, tick: number): void {
    this.setTime(counter * COUNTER_BYTES + START, tick);
  }
}
