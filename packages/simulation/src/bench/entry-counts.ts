// How often a guest was left for its hypervisor, and what that cost, whichever way it is left: VM exits, traps into a VMM, hypercalls.
// A guest divides its run into parts by OUT to port 80h, or by the hypercall xen_version; the mark itself belongs to none.

import type {MachineEvent} from '@hyperscope/machine';
import type {HypervisorEvent, RunObserver, StepReport} from '@hyperscope/vmm';
import {startBench, toItsEnd} from './bench.js';
import type {Bench} from './bench.js';
import {requireGuest} from '../shipped.js';

const MARK_PORT = 0x80;
const MARK_HYPERCALL = 17;

export interface EntryPart {
  /** Times that the guest was left. */
  readonly entries: number;
  readonly cycles: number;
}

class EntryCounter implements RunObserver {
  readonly ignoresWrites = true;
  readonly parts: {entries: number; cycles: number}[] = [{entries: 0, cycles: 0}];
  readonly #cycles: () => number;
  #isMark = false;
  #isAway = false;
  /** When the part began, and when the guest was seen last. */
  #start = 0;
  #last = 0;

  constructor(cycles: () => number) {
    this.#cycles = cycles;
  }

  willWrite(): void {
    // Nothing is recorded.
  }
  event(event: MachineEvent): void {
    if (event.kind === 'port' && event.port === MARK_PORT && event.direction === 'out') this.#isMark = true;
  }
  hypervisorEvent(event: HypervisorEvent): void {
    if (event.kind === 'hypercall' && event.number === MARK_HYPERCALL) this.#isMark = true;
    if (event.kind !== 'kvm-exit' || event.exit.reason !== 'io') return;
    if (event.exit.port === MARK_PORT && event.exit.direction === 'out') this.#isMark = true;
  }

  /** A step is over. */
  watch({actor}: StepReport): void {
    const isGuest = actor === 'guest-kernel' || actor === 'guest-user';
    const part = this.parts.at(-1);
    if (part === undefined) return;
    if (isGuest && (this.#isMark || this.#isAway)) this.#back(part);
    if (!isGuest && !this.#isAway) {
      part.entries++;
      this.#isAway = true;
    }
    if (isGuest) this.#last = this.#cycles();
  }

  /** The guest goes on. A part ends where it was left for a mark, or at the mark where nobody was called; another begins now. */
  #back(part: {entries: number; cycles: number}): void {
    if (this.#isMark) {
      const now = this.#cycles();
      if (this.#isAway) part.entries--;
      part.cycles = (this.#isAway ? this.#last : now) - this.#start;
      this.#start = now;
      this.parts.push({entries: 0, cycles: 0});
    }
    this.#isMark = false;
    this.#isAway = false;
  }
}

/** The parts of a guest's run, from mark to mark: the first is what comes before all marks. @throws UserError as `runBench`. */
export function countEntries(guestId: string, bench: Bench): readonly EntryPart[] {
  const guest = requireGuest(guestId);
  const run = startBench(guest, bench);
  const counter = new EntryCounter(() => run.machine.cycles);
  run.observe(counter);
  toItsEnd(guest, bench.technique, run, report => counter.watch(report));
  return counter.parts.slice(0, -1);
}
