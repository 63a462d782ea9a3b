// Time, as devices see it: the processor's cycle counter, converted to the frequency of each device's own crystal; and
// the moments at which a device will act by itself. Nothing here looks at the real world's clock, so two runs of a
// guest see the same ticks at the same instructions.
//
//   bank:  0 earliest deadline  ·  8 + 8 × n deadline of timer n  (cycles since RESET; Infinity where not armed)

import {assert} from '@hyperscope/base';
import {BankedDevice} from './banked-device.js';

const TIMERS = 16;

/** One moment in the future, at which `onDue` runs. It is armed anew each time. */
export interface DeviceTimer {
  /** In cycles; Infinity when it is not armed. */
  readonly deadline: number;
  arm(cycle: number): void;
  disarm(): void;
}

interface TimerDuty {
  /** Gets the cycle that it was armed for; the clock may have gone a few cycles further. */
  readonly onDue: (deadline: number) => void;
  /** Whether its interrupt would reach the processor: whether HLT may wait for it. */
  readonly wakes: () => boolean;
}

/** What a machine asks of time: when a device acts by itself next, and that it may. */
export interface DeviceTime {
  /** The earliest deadline, in cycles since RESET; Infinity when no timer is armed. */
  readonly next: number;
  /** The earliest deadline whose interrupt would reach the processor; Infinity when there is none. */
  readonly nextWake: number;
  /** Runs what is due. */
  run(): void;
}

/** The clocks of several machines in one: its own, and those of virtual machines on it. Each goes by the same cycles. */
export class DeviceClocks implements DeviceTime {
  readonly #clocks: readonly DeviceTime[];

  constructor(clocks: readonly DeviceTime[]) {
    this.#clocks = clocks;
  }
  get next(): number {
    return this.#earliest(clock => clock.next);
  }
  get nextWake(): number {
    return this.#earliest(clock => clock.nextWake);
  }
  run(): void {
    for (const clock of this.#clocks) clock.run();
  }

  #earliest(of: (clock: DeviceTime) => number): number {
    let earliest = Infinity;
    for (const clock of this.#clocks) earliest = Math.min(earliest, of(clock));
    return earliest;
  }
}

export class DeviceClock extends BankedDevice implements DeviceTime {
  /** Cycles in a second. */
  readonly hertz: number;
  readonly #cycles: () => number;
  readonly #duties: TimerDuty[] = [];

  /**
   * `cycles` gives the processor's cycles since RESET; `hertz` how many of them make a second. A machine with several
   * clocks (a host's and its guest's) names each.
   */
  constructor(cycles: () => number, hertz: number, name = 'device-clock') {
    super(name, 8 * (TIMERS + 1));
    assert(Number.isSafeInteger(hertz) && hertz > 0, 'a frequency is a positive whole number');
    this.#cycles = cycles;
    this.hertz = hertz;
    for (let index = 0; index <= TIMERS; index++) this.setTime(8 * index, Infinity);
  }

  /** Cycles since RESET. */
  get now(): number {
    return this.#cycles();
  }
  /** How many ticks of a crystal of `frequency` hertz have begun by `cycle`. */
  ticks(frequency: number, cycle = this.now): number {
    return Number((BigInt(cycle) * BigInt(frequency)) / BigInt(this.hertz));
  }
  /** The first cycle at which `ticks` gives `tick`. */
  cycleOf(tick: number, frequency: number): number {
    const f = BigInt(frequency);
    return Number((BigInt(tick) * BigInt(this.hertz) + f - 1n) / f);
  }

  /** A timer of its own for a device; which one it is depends on the order of these calls only. */
  timer(onDue: (deadline: number) => void, wakes: () => boolean): DeviceTimer {
    const index = this.#duties.length + 1;
    assert(index <= TIMERS, `there is room for ${TIMERS} timers`);
    this.#duties.push({onDue, wakes});
    const deadline = (): number => this.time(8 * index);
    return {
      get deadline() {
        return deadline();
      },
      arm: cycle => this.#set(index, cycle),
      disarm: () => this.#set(index, Infinity),
    };
  }

  /** The earliest deadline, in cycles; Infinity when no timer is armed. */
  get next(): number {
    return this.time(0);
  }
  /** The earliest deadline whose interrupt would reach the processor; Infinity when there is none. */
  get nextWake(): number {
    let earliest = Infinity;
    this.#duties.forEach(({wakes}, index) => {
      const deadline = this.time(8 * (index + 1));
      if (deadline < earliest && wakes()) earliest = deadline;
    });
    return earliest;
  }

  /** Runs what is due, earliest first; of two at the same cycle, the timer that was made first. */
  run(): void {
    while (this.next <= this.now) {
      const due = this.next;
      const index = this.#duties.findIndex((_, each) => this.time(8 * (each + 1)) === due);
      this.#set(index + 1, Infinity);
      this.#duties[index]?.onDue(due);
    }
  }

  #set(index: number, cycle: number): void {
    this.setTime(8 * index, cycle);
    let earliest = Infinity;
    for (let each = 1; each <= this.#duties.length; each++) earliest = Math.min(earliest, this.time(8 * each));
    this.setTime(0, earliest);
  }
}
