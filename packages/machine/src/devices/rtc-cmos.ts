// The real-time clock and the battery-backed memory beside it. Its date starts where it is told to and goes on with the
// machine's own clock, never with the world's. Motorola, "MC146818A"; memory sizes: Bochs and QEMU, "CMOS".
//
//   70h index (bit 7 masks NMI on a PC; here it has no effect)  ·  71h data
//   0 seconds 2 minutes 4 hours 6 weekday 7 day 8 month 9 year, 1 3 5 alarm, 32h century  ·  A, B, C, D status

import {BankedDevice} from './banked-device.js';
import {dateOf, secondsOf, weekdayOf} from './calendar.js';
import type {CalendarDate} from './calendar.js';
import type {DeviceClock, DeviceTimer} from './device-clock.js';
import {UNCONNECTED} from './interrupt-line.js';
import type {InterruptLine} from './interrupt-line.js';
import {fromBcd, toBcd} from './pit-counter.js';
import type {PortDevice, PortRange} from './port-map.js';

const SECONDS = 0,
  SECONDS_ALARM = 1,
  MINUTES = 2,
  MINUTES_ALARM = 3,
  HOURS = 4,
  HOURS_ALARM = 5,
  WEEKDAY = 6,
  DAY = 7,
  MONTH = 8,
  YEAR = 9,
  STATUS_A = 0xa,
  STATUS_B = 0xb,
  STATUS_C = 0xc,
  STATUS_D = 0xd,
  CENTURY = 0x32;
/** Behind the 128 registers: the index, the second at cycle 0 of the clock, and up to where flags have been set. */
const INDEX = 128,
  ORIGIN = 136,
  SEEN = 144,
  BANK_BYTES = 152;

const A_UPDATE_IN_PROGRESS = 0x80;
const B_SET = 0x80,
  B_BINARY = 4,
  B_24_HOURS = 2;
/** The same bits enable in B and flag in C. */
const PERIODIC = 0x40,
  ALARM = 0x20,
  UPDATED = 0x10,
  C_REQUEST = 0x80;
const D_VALID = 0x80;
const CRYSTAL_HERTZ = 32_768;
/** The update takes 244 µs before a second begins: 8 ticks of the crystal. */
const UPDATE_TICKS = 8;
const PM = 0x80;
/** An alarm register with the two highest bits set matches everything. */
const DONT_CARE = 0xc0;

/** The day on which the first processor with VT-x came out. */
const DEFAULT_DATE: CalendarDate = {year: 2005, month: 11, day: 14, hour: 12, minute: 0, second: 0};

export interface RtcOptions {
  readonly clock: DeviceClock;
  readonly line?: InterruptLine;
  /** The date at cycle 0. */
  readonly date?: CalendarDate;
  /** Bytes of RAM, for the registers that tell a program how much there is. */
  readonly memoryBytes: number;
}

export class RtcCmos extends BankedDevice implements PortDevice {
  readonly ports: PortRange = {first: 0x70, count: 2};
  readonly widest = 1;
  readonly #clock: DeviceClock;
  readonly #line: InterruptLine;
  readonly #timer: DeviceTimer;

  constructor({clock, line = UNCONNECTED, date = DEFAULT_DATE, memoryBytes}: RtcOptions) {
    super('rtc', BANK_BYTES);
    this.#clock = clock;
    this.#line = line;
    this.#timer = clock.timer(
      () => this.#signal(),
      () => line.isHeard,
    );
    this.setTime(ORIGIN, secondsOf(date));
    this.setByte(STATUS_A, 0x26);
    this.setByte(STATUS_B, B_24_HOURS);
    this.setByte(STATUS_D, D_VALID);
    this.#setMemorySize(memoryBytes);
  }

  read(offset: number): number {
    if (offset === 0) return 0xff; // The index is write-only.
    const index = this.byte(INDEX);
    switch (index) {
      case STATUS_A:
        return this.byte(STATUS_A) | (this.#isUpdating ? A_UPDATE_IN_PROGRESS : 0);
      case STATUS_C:
        return this.#takeFlags();
      default:
        return this.#calendarRegister(index) ?? this.byte(index);
    }
  }

  write(offset: number, _bytes: number, value: number): void {
    if (offset === 0) return this.setByte(INDEX, value & 0x7f);
    const index = this.byte(INDEX);
    switch (index) {
      case STATUS_C:
      case STATUS_D:
        return;
      case STATUS_A:
        this.setByte(STATUS_A, value & 0x7f);
        return this.#signal();
      case STATUS_B:
        return this.#writeStatusB(value);
      default:
        if (this.#calendarRegister(index) === undefined) this.setByte(index, value);
        else this.#setCalendar(index, value);
    }
  }

  // ── the calendar ────────────────────────────────────────────────────────────────────────────────────────────────

  get #seconds(): number {
    return this.time(ORIGIN) + this.#clock.ticks(1);
  }
  get #isUpdating(): boolean {
    const tick = this.#clock.ticks(CRYSTAL_HERTZ) % CRYSTAL_HERTZ;
    return (this.byte(STATUS_B) & B_SET) === 0 && tick >= CRYSTAL_HERTZ - UPDATE_TICKS;
  }

  /** A register of the date as a program sees it: stored while SET, else counted. Undefined for other registers. */
  #calendarRegister(index: number): number | undefined {
    const isSet = (this.byte(STATUS_B) & B_SET) !== 0;
    const value = this.#calendarValue(index, isSet ? 0 : this.#seconds);
    return value !== undefined && isSet ? this.byte(index) : value;
  }
  #calendarValue(index: number, seconds: number): number | undefined {
    const date = dateOf(seconds);
    switch (index) {
      case SECONDS:
        return this.#shown(date.second);
      case MINUTES:
        return this.#shown(date.minute);
      case HOURS:
        return this.#shownHour(date.hour);
      case WEEKDAY:
        return this.#shown(weekdayOf(seconds));
      case DAY:
        return this.#shown(date.day);
      case MONTH:
        return this.#shown(date.month);
      case YEAR:
        return this.#shown(date.year % 100);
      case CENTURY:
        return this.#shown(Math.floor(date.year / 100));
      default:
        return undefined;
    }
  }

  /** A write while the clock runs moves it; while SET, it is kept until SET is cleared. */
  #setCalendar(index: number, value: number): void {
    if ((this.byte(STATUS_B) & B_SET) === 0) {
      this.#freeze();
      this.setByte(index, value);
      this.#thaw();
    } else {
      this.setByte(index, value);
    }
  }
  #freeze(): void {
    const seconds = this.#seconds;
    for (const index of [SECONDS, MINUTES, HOURS, WEEKDAY, DAY, MONTH, YEAR, CENTURY])
      this.setByte(index, this.#calendarValue(index, seconds) ?? 0);
  }
  #thaw(): void {
    const read = (index: number): number => this.#meant(this.byte(index));
    const seconds = secondsOf({
      year: read(CENTURY) * 100 + read(YEAR),
      month: read(MONTH),
      day: read(DAY),
      hour: this.#meantHour(this.byte(HOURS)),
      minute: read(MINUTES),
      second: read(SECONDS),
    });
    this.setTime(ORIGIN, seconds - this.#clock.ticks(1));
  }

  #shown(value: number): number {
    return (this.byte(STATUS_B) & B_BINARY) === 0 ? toBcd(value) : value;
  }
  #meant(value: number): number {
    return (this.byte(STATUS_B) & B_BINARY) === 0 ? fromBcd(value) : value;
  }
  #shownHour(hour: number): number {
    if ((this.byte(STATUS_B) & B_24_HOURS) !== 0) return this.#shown(hour);
    return this.#shown(hour % 12 === 0 ? 12 : hour % 12) | (hour >= 12 ? PM : 0);
  }
  #meantHour(value: number): number {
    if ((this.byte(STATUS_B) & B_24_HOURS) !== 0) return this.#meant(value);
    return (this.#meant(value & 0x7f) % 12) + ((value & PM) === 0 ? 0 : 12);
  }

  #writeStatusB(value: number): void {
    const before = this.byte(STATUS_B);
    const wasSet = (before & B_SET) !== 0;
    const setsNow = (value & B_SET) !== 0;
    if (!wasSet && setsNow) this.#freeze();
    // The date is read in the format in which it was written.
    if (wasSet && !setsNow) this.#thaw();
    // An update that ends while nobody had asked is flagged, but it does not interrupt whoever asks later.
    this.#collectFlags();
    this.setByte(STATUS_B, setsNow ? value & ~UPDATED : value);
    this.#signal();
  }

  // ── interrupts ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Ticks of the crystal between two periodic interrupts; undefined where the rate is 0, none. */
  get #period(): number | undefined {
    const rate = this.byte(STATUS_A) & 0xf;
    if (rate === 0) return undefined;
    return 1 << ((rate <= 2 ? rate + 7 : rate) - 1);
  }

  /** Flags what has happened since the last look. */
  #collectFlags(): void {
    const now = this.#clock.ticks(CRYSTAL_HERTZ);
    const seen = this.time(SEEN);
    const period = this.#period;
    let flags = 0;
    if (period !== undefined && Math.floor(now / period) > Math.floor(seen / period)) flags |= PERIODIC;
    const [first, last] = [Math.floor(seen / CRYSTAL_HERTZ) + 1, Math.floor(now / CRYSTAL_HERTZ)];
    if (first <= last && (this.byte(STATUS_B) & B_SET) === 0) {
      flags |= UPDATED;
      if (this.#alarmBetween(first, last)) flags |= ALARM;
    }
    this.setTime(SEEN, now);
    this.setByte(STATUS_C, this.byte(STATUS_C) | flags);
  }
  /** Whether an alarm lies within these seconds of the clock; a day has every time of day in it. */
  #alarmBetween(first: number, last: number): boolean {
    const origin = this.time(ORIGIN);
    for (let second = first; second <= Math.min(last, first + 86_400); second++) {
      const date = dateOf(origin + second);
      const matches = (at: number, shown: number): boolean =>
        (this.byte(at) & DONT_CARE) === DONT_CARE || this.byte(at) === shown;
      if (
        matches(SECONDS_ALARM, this.#shown(date.second)) &&
        matches(MINUTES_ALARM, this.#shown(date.minute)) &&
        matches(HOURS_ALARM, this.#shownHour(date.hour))
      )
        return true;
    }
    return false;
  }

  /** Reading C gives the flags and clears them, and the request with them. */
  #takeFlags(): number {
    this.#signal();
    const flags = this.byte(STATUS_C);
    this.setByte(STATUS_C, 0);
    this.#signal();
    return flags;
  }

  /** Drives IRQ 8, and arms the timer for whatever may raise it next. */
  #signal(): void {
    this.#collectFlags();
    const flags = this.byte(STATUS_C) & (PERIODIC | ALARM | UPDATED);
    const enabled = this.byte(STATUS_B) & (PERIODIC | ALARM | UPDATED);
    const asks = (flags & enabled) !== 0;
    this.setByte(STATUS_C, flags | (asks ? C_REQUEST : 0));
    this.#line.set(asks ? 1 : 0);
    const now = this.#clock.ticks(CRYSTAL_HERTZ);
    const next = (ticks: number | undefined): number =>
      ticks === undefined ? Infinity : (Math.floor(now / ticks) + 1) * ticks;
    const tick = Math.min(
      (enabled & PERIODIC) === 0 ? Infinity : next(this.#period),
      (enabled & (ALARM | UPDATED)) === 0 ? Infinity : next(CRYSTAL_HERTZ),
    );
    // A request that nobody has taken stays one request, however often its reason comes again.
    if (asks || tick === Infinity) this.#timer.disarm();
    else this.#timer.arm(this.#clock.cycleOf(tick, CRYSTAL_HERTZ));
  }

  /** 15h base memory, 17h and 30h up to 64 MiB in KiB, 34h above 16 MiB in units of 64 KiB. */
  #setMemorySize(memoryBytes: number): void {
    const put = (at: number, value: number): void => {
      this.setByte(at, value & 0xff);
      this.setByte(at + 1, (value >>> 8) & 0xff);
    };
    const kib = Math.floor(memoryBytes / 1024);
    put(0x15, Math.min(kib, 640));
    for (const at of [0x17, 0x30]) put(at, Math.max(0, Math.min(kib - 1024, 0xffff)));
    put(0x34, Math.max(0, Math.min(Math.floor((kib - 16 * 1024) / 64), 0xffff)));
  }
}
