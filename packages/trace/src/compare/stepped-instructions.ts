// The instructions of two runs beside each other, where real KVM was single-stepped: after each of them the registers are
// compared. Code that a host cannot step (its fingerprint says which) is on one side only, and that is no difference.

import {hex} from '@hyperscope/base';
import type {RunRecord} from '../record/run-record.js';
import {align} from './align.js';
import {completesInstruction} from './completed-exits.js';
import type {DifferenceFinder} from './difference-finder.js';
import type {GuestView} from './guest-registers.js';
import {GuestWalk} from './guest-walk.js';
import type {Watcher} from './guest-walk.js';
import {quirksOfRun} from './host-quirks.js';
import type {HostQuirk} from './host-quirks.js';
import type {VisibleEvent} from './visible-events.js';

/** Whether a record of real KVM has steps of one instruction. */
export function isStepped(record: RunRecord): boolean {
  if (record.header.engine !== 'kvm') return false;
  for (let step = 0; step < record.length; step++) if (record.columns.kind(step) === 'kvm-step') return true;
  return false;
}

/** A run and the events of it that the outside sees. */
interface Side {
  readonly record: RunRecord;
  readonly seen: readonly VisibleEvent[];
}

/**
 * Compares instruction by instruction between the events that the outside sees, which are aligned already: what lies between
 * two of them is short, so a stretch that went another way does not move all that follows.
 */
export class InstructionsBetween {
  /** Instructions after which the registers were compared. */
  count = 0;
  readonly #finder: DifferenceFinder;
  readonly #listA: readonly VisibleEvent[];
  readonly #listB: readonly VisibleEvent[];
  /** A quirk of the host makes the runs go apart: what only real KVM has behind that is no surprise. */
  readonly #partWays: boolean;
  #nextA = 0;
  #nextB = 0;

  constructor(a: Side, b: Side, finder: DifferenceFinder, view: GuestView) {
    const simulated = [a.record, b.record].find(({header}) => header.engine === 'simulated');
    const quirks = [...quirksOfRun(a.record), ...quirksOfRun(b.record)];
    const parting = simulated === undefined ? Infinity : stepWherePathsPart(simulated, quirks, view);
    const until = (record: RunRecord): number => (record.header.engine === 'simulated' ? parting : Infinity);
    this.#partWays = parting !== Infinity;
    this.#finder = finder;
    this.#listA = instructionsOf(a, until(a.record));
    this.#listB = instructionsOf(b, until(b.record));
  }

  /** Compares what lies before two events that are beside each other; undefined where a side has none there. */
  compareUntil(a: VisibleEvent | undefined, b: VisibleEvent | undefined): void {
    const [fromA, fromB] = [this.#nextA, this.#nextB];
    if (a !== undefined) while ((this.#listA[this.#nextA]?.guestStep ?? Infinity) < a.guestStep) this.#nextA++;
    if (b !== undefined) while ((this.#listB[this.#nextB]?.guestStep ?? Infinity) < b.guestStep) this.#nextB++;
    this.#compare(this.#listA.slice(fromA, this.#nextA), this.#listB.slice(fromB, this.#nextB));
  }

  /** Compares what lies behind the last event. */
  compareRest(): void {
    this.#compare(this.#listA.slice(this.#nextA), this.#listB.slice(this.#nextB));
  }

  #compare(a: readonly VisibleEvent[], b: readonly VisibleEvent[]): void {
    for (const [i, j] of align(
      a.map(event => event.key),
      b.map(event => event.key),
    )) {
      const [left, right] = [i === undefined ? undefined : a[i], j === undefined ? undefined : b[j]];
      if (left !== undefined && right !== undefined && left.key === right.key) {
        this.#finder.matched(left, right);
        this.count++;
      } else this.#finder.onlyOneInstruction(left, right, this.#partWays);
    }
  }
}

/** Every instruction of the guest, up to step `until`, that is not itself the cause of a visible event. */
function instructionsOf({record, seen}: Side, until: number): readonly VisibleEvent[] {
  const all: VisibleEvent[] = [];
  const causes = new Set(seen.map(({guestStep}) => guestStep));
  for (let step = 0; step < Math.min(record.length, until); step++) {
    if (!isInstruction(record, step) || causes.has(step)) continue;
    const rip = record.columns.rip(step);
    // Some step through each round of a repeated string instruction, some only behind the last.
    if (all.at(-1)?.key === `@${rip}`) all.pop();
    all.push({key: `@${rip}`, label: `instruction at ${hex(rip)}`, kind: 'instruction', step, guestStep: step});
  }
  return all;
}

function isInstruction(record: RunRecord, step: number): boolean {
  const kind = record.columns.kind(step);
  if (record.header.engine === 'kvm') return kind === 'kvm-step';
  if (!record.columns.who(step).startsWith('guest')) return false;
  if (kind === 'instruction') return true;
  // One that left the guest counts where the hypervisor completed it; else it is executed again, as after an EPT violation.
  return record.eventsOf(step).some(event => event.kind === 'vm-exit' && completesInstruction(event.exit));
}

/**
 * The step of a simulated run at which a host goes another way for good: the first instruction that one of its quirks makes
 * into something else. Behind it instructions are not compared. Infinity where there is none.
 */
function stepWherePathsPart(record: RunRecord, quirks: readonly HostQuirk[], view: GuestView): number {
  const parting = quirks.filter(({excuses}) => excuses === 'everything');
  if (parting.length === 0) return Infinity;
  let at = Infinity;
  const watch: Watcher = (facts, cells) => {
    const ring = Number(cells('CPL') ?? 0n);
    if (parting.some(quirk => quirk.triggers(facts, ring, cells))) at = Math.min(at, walk.position);
  };
  const walk = new GuestWalk(record, watch, view);
  walk.advanceThrough(record.length);
  return at;
}
