// How often a guest was left, by reason: the number that teaching labs ask for. A guest may divide its run into parts by OUT to
// port 80h; the exit of the OUT itself belongs to none.

import {exitNumber, exitTitle} from '@hyperscope/isa';
import type {MachineEvent} from '@hyperscope/machine';
import type {HypervisorEvent, RunObserver} from '@hyperscope/vmm';
import {runBench} from './bench.js';
import type {Bench} from './bench.js';
import {requireGuest} from '../shipped.js';

const MARK_PORT = 0x80;

export interface ExitCount {
  /** The manual's number and title: '28', 'Control-register access'; under SVM '400h', 'Nested page fault'. */
  readonly number: string;
  readonly title: string;
  readonly count: number;
}

/** Exits from one mark to the next, most frequent first. */
export type ExitPart = readonly ExitCount[];

class ExitCounter implements RunObserver {
  readonly ignoresWrites = true;
  readonly parts: Map<string, ExitCount>[] = [new Map()];
  #last = '';

  willWrite(): void {
    // Nothing is recorded.
  }
  event(event: MachineEvent): void {
    if (event.kind === 'vm-exit') {
      const [number, title] = [exitNumber(event.exit), exitTitle(event.exit)];
      this.#last = number;
      this.#add(number, title, 1);
    }
    if (event.kind === 'port' && event.port === MARK_PORT && event.direction === 'out') this.parts.push(new Map());
  }
  hypervisorEvent(event: HypervisorEvent): void {
    if (event.kind !== 'kvm-exit' || event.exit.reason !== 'io' || event.exit.port !== MARK_PORT) return;
    if (event.exit.direction !== 'out') return;
    this.#add(this.#last, '', -1);
    this.parts.push(new Map());
  }
  #add(number: string, title: string, by: number): void {
    const part = this.parts.at(-1);
    const known = part?.get(number);
    part?.set(number, {number, title: known?.title ?? title, count: (known?.count ?? 0) + by});
  }
}

/** The VM exits of a whole run, and of each part. @throws UserError as `runBench` does. */
export function countExits(
  guestId: string,
  bench: Bench,
): {readonly all: ExitPart; readonly parts: readonly ExitPart[]} {
  const counter = new ExitCounter();
  runBench(requireGuest(guestId), bench, counter);
  const parts = counter.parts.map(part => sorted([...part.values()]));
  const all = new Map<string, ExitCount>();
  for (const exit of parts.flat()) {
    all.set(exit.number, {...exit, count: exit.count + (all.get(exit.number)?.count ?? 0)});
  }
  return {all: sorted([...all.values()]), parts};
}

const sorted = (counts: readonly ExitCount[]): ExitPart =>
  counts.filter(({count}) => count > 0).toSorted((a, b) => b.count - a.count || a.title.localeCompare(b.title));

export const totalOf = (part: ExitPart): number => part.reduce((sum, {count}) => sum + count, 0);
