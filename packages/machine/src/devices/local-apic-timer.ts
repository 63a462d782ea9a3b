// The timer of the local APIC: counts down from the initial count at the bus clock, divided. It counts whether or not
// its vector is masked. Or, in TSC-deadline mode, waits for a value of the time-stamp counter. SDM vol. 3A, "APIC Timer".

import type {DeviceClock, DeviceTimer} from './device-clock.js';

/** As KVM and QEMU have it. Linux, arch/x86/kvm/lapic.h: APIC_BUS_CYCLE_NS is 1. */
export const APIC_BUS_HERTZ = 1_000_000_000;

const TIMER = 0x320,
  INITIAL_COUNT = 0x380,
  DIVIDE = 0x3e0,
  /** The bus tick at which the count began, in two halves. */
  START_LOW = 0x3f8,
  START_HIGH = 0x3fc,
  /** IA32_TSC_DEADLINE, in two halves; 0 while nothing is waited for. */
  DEADLINE_LOW = 0x394,
  DEADLINE_HIGH = 0x398;
const PERIODIC = 0x2_0000,
  MODE = 0x6_0000,
  TSC_DEADLINE = 0x4_0000;

/** The registers, which lie in the bank of the APIC, and where the timer reports. */
export interface ApicTimerParts {
  get(at: number): number;
  set(at: number, value: number): void;
  expire(): void;
  isHeard(): boolean;
  timeStamp(): bigint;
}

export class ApicTimer {
  readonly #clock: DeviceClock;
  readonly #parts: ApicTimerParts;
  readonly #timer: DeviceTimer;

  constructor(clock: DeviceClock, parts: ApicTimerParts) {
    this.#clock = clock;
    this.#parts = parts;
    this.#timer = clock.timer(
      () => this.#due(),
      () => parts.isHeard(),
    );
  }

  /** A write to the initial-count register starts over; 0 stops. In TSC-deadline mode it is ignored. */
  start(count: number): void {
    if (this.#waitsForDeadline) return;
    this.#parts.set(INITIAL_COUNT, count);
    this.#setStart(this.#now);
    this.reschedule();
  }
  /** The count goes on from where it is, at the new pace. */
  setDivide(value: number): void {
    const left = this.currentCount;
    const elapsed = this.#initial - left;
    this.#parts.set(DIVIDE, value);
    this.#setStart(this.#now - elapsed * this.#divisor);
    this.reschedule();
  }

  /** A write to the timer's local vector: going into TSC-deadline mode, or out of it, stops what was under way. */
  setEntry(value: number): void {
    const changes = (this.#parts.get(TIMER) ^ value) & TSC_DEADLINE;
    this.#parts.set(TIMER, value);
    if (changes !== 0) {
      this.#parts.set(INITIAL_COUNT, 0);
      this.#setDeadlineWords(0n);
    }
    this.reschedule();
  }

  /** IA32_TSC_DEADLINE: 0 once it has passed, and in other modes. */
  get deadline(): bigint {
    return (BigInt(this.#parts.get(DEADLINE_HIGH)) << 32n) | BigInt(this.#parts.get(DEADLINE_LOW));
  }
  setDeadline(value: bigint): void {
    if (!this.#waitsForDeadline) return;
    this.#setDeadlineWords(value);
    this.reschedule();
  }
  #setDeadlineWords(value: bigint): void {
    this.#parts.set(DEADLINE_LOW, Number(value & 0xffff_ffffn));
    this.#parts.set(DEADLINE_HIGH, Number(value >> 32n));
  }

  get currentCount(): number {
    const initial = this.#initial;
    if (initial === 0 || this.#waitsForDeadline) return 0;
    const elapsed = Math.floor((this.#now - this.#start) / this.#divisor);
    if (this.#isPeriodic) return initial - (elapsed % initial);
    return Math.max(0, initial - elapsed);
  }

  /** After any change: when the count next reaches zero. */
  reschedule(): void {
    if (this.#waitsForDeadline) return this.#awaitDeadline();
    const initial = this.#initial;
    const elapsed = this.#now - this.#start;
    const period = initial * this.#divisor;
    if (initial === 0 || (!this.#isPeriodic && elapsed >= period)) return this.#timer.disarm();
    const next = (Math.floor(elapsed / period) + 1) * period;
    this.#timer.arm(this.#clock.cycleOf(this.#start + next, APIC_BUS_HERTZ));
  }

  #due(): void {
    if (!this.#waitsForDeadline) this.#parts.expire();
    this.reschedule();
  }

  /** The time-stamp counter counts cycles, from wherever software has set it. */
  #awaitDeadline(): void {
    const {deadline} = this;
    if (deadline === 0n) return this.#timer.disarm();
    const left = deadline - this.#parts.timeStamp();
    if (left > 0n) return this.#timer.arm(this.#clock.now + Number(left));
    this.#setDeadlineWords(0n);
    this.#timer.disarm();
    this.#parts.expire();
  }
  get #waitsForDeadline(): boolean {
    return (this.#parts.get(TIMER) & MODE) === TSC_DEADLINE;
  }

  get #initial(): number {
    return this.#parts.get(INITIAL_COUNT);
  }
  get #isPeriodic(): boolean {
    return (this.#parts.get(TIMER) & PERIODIC) !== 0;
  }
  /** Bits 3, 1 and 0: 2, 4, … 128, and 1 for 111. */
  get #divisor(): number {
    const value = this.#parts.get(DIVIDE);
    const code = ((value & 8) >> 1) | (value & 3);
    return code === 7 ? 1 : 2 << code;
  }
  get #now(): number {
    return this.#clock.ticks(APIC_BUS_HERTZ);
  }
  get #start(): number {
    return this.#parts.get(START_HIGH) * 0x1_0000_0000 + this.#parts.get(START_LOW);
  }
  #setStart(tick: number): void {
    const start = Math.max(0, tick);
    this.#parts.set(START_LOW, start % 0x1_0000_0000);
    this.#parts.set(START_HIGH, Math.floor(start / 0x1_0000_0000));
  }
}
