// A clock that tests move by hand, and a wire that remembers its edges. Not part of the package's interface.

import {DeviceClock} from './device-clock.js';
import type {InterruptLine, Level} from './interrupt-line.js';

/** A clock at one million cycles a second, so that a cycle is a microsecond. */
export class HandClock {
  #now = 0;
  readonly clock: DeviceClock;

  constructor(hertz = 1_000_000) {
    this.clock = new DeviceClock(() => this.#now, hertz);
  }

  /** Goes to a cycle, stopping wherever a timer is due. */
  to(cycle: number): this {
    while (this.clock.next <= cycle) {
      this.#now = this.clock.next;
      this.clock.run();
    }
    this.#now = cycle;
    return this;
  }
  /** Goes there without letting timers run on the way: what a long instruction does. */
  jump(cycle: number): this {
    this.#now = cycle;
    this.clock.run();
    return this;
  }
  get now(): number {
    return this.#now;
  }
}

export class TestLine implements InterruptLine {
  level: Level = 0;
  rises = 0;
  isHeard = true;

  set(level: Level): void {
    if (level === 1 && this.level === 0) this.rises++;
    this.level = level;
  }
}
