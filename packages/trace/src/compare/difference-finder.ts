// Goes through two aligned runs in the order of time and gives every difference a class: by where a value came from, by
// what the host is known to do otherwise, or 'unexplained'.

import {hex, hexBytes} from '@hyperscope/base';
import type {Cell} from '@hyperscope/isa';
import {isDeprivileged} from '../record/deprivileged.js';
import type {Playhead} from '../record/playhead.js';
import type {RunRecord} from '../record/run-record.js';
import {GuestMemory} from '../state/guest-memory.js';
import type {Difference, DifferenceClass} from './comparison.js';
import {COMPARED_CELLS, guestStateAfter, guestStateBefore} from './guest-registers.js';
import type {GuestState, GuestView} from './guest-registers.js';
import {GuestWalk} from './guest-walk.js';
import type {Origin} from './guest-walk.js';
import {quirksOfRun} from './host-quirks.js';
import {cpuidDifference} from './inside-cpuid.js';
import type {AskedLeaf} from './inside-cpuid.js';
import type {HostQuirk} from './host-quirks.js';
import type {VisibleEvent} from './visible-events.js';

/** Where a state has it; not everywhere is it known. */
const RING: Cell = 'CPL';
/** Differences that are kept one by one. */
const MOST = 1000;
const UNKNOWN =
  'No rule explains it: this is a bug in the simulator, or a departure of this host that nobody has described yet.';

type Reason = Pick<Difference, 'class' | 'why'>;

export class DifferenceFinder {
  readonly differences: Difference[] = [];
  /** Differences of each class, those beyond the kept ones included. */
  readonly counts = new Map<DifferenceClass, number>();
  readonly #view: GuestView;
  readonly #a: Playhead;
  readonly #b: Playhead;
  readonly #walk: GuestWalk | undefined;
  readonly #walksA: boolean;
  readonly #quirks: readonly HostQuirk[];
  readonly #active = new Set<HostQuirk>();
  /** Whether real KVM single-steps in 64-bit ring 3, as its fingerprint says; true where neither side is real. */
  readonly #stopsInRing3: boolean;
  /** Keys of events that came from the handler of an interrupt. */
  readonly #ofHandlers = new Set<string>();
  /** What matched last. */
  #lastKey: string | undefined;
  /** Cells that are known to differ: told once, not at every event. */
  readonly #told = new Map<Cell, string>();

  constructor(a: Playhead, b: Playhead, view: GuestView) {
    this.#view = view;
    this.#a = a;
    this.#b = b;
    this.#walksA = a.record.header.engine === 'simulated';
    const walked = this.#walksA ? a.record : b.record.header.engine === 'simulated' ? b.record : undefined;
    this.#stopsInRing3 = [a, b].every(({record: {header}}) => (header.host?.probes['cpl3_step'] ?? 'ok') === 'ok');
    this.#quirks = [...quirksOfRun(a.record), ...quirksOfRun(b.record)];
    this.#walk =
      walked === undefined
        ? undefined
        : new GuestWalk(
            walked,
            (facts, cells) => {
              const ring = Number(cells('CPL') ?? 0n);
              for (const quirk of this.#quirks) if (quirk.triggers(facts, ring, cells)) this.#active.add(quirk);
            },
            view,
          );
  }

  /** Two events that the outside cannot tell apart: the guest's registers must agree. */
  matched(a: VisibleEvent, b: VisibleEvent): void {
    this.#walk?.advanceThrough(this.#walksA ? a.guestStep : b.guestStep);
    this.#lastKey = a.key;
    if (this.#walk?.isHandling === true) this.#ofHandlers.add(a.key);
    const [left, right] = [guestStateAfter(this.#a, a, this.#view), guestStateAfter(this.#b, b, this.#view)];
    if (left === undefined || right === undefined) return;
    if (a.kind === 'instruction' && [left, right].some(state => this.#ranOnInRing3(state))) return;
    this.#compareCells(left, right);
  }

  /**
   * At these states the same instruction of the guest is next on both sides: its registers must agree, and the memory that
   * either wrote since the last call. Gives what is new. The ring that shows in CS and SS of a deprivileged guest is no
   * difference until an instruction shows it to the guest.
   */
  beforeInstruction(a: number, b: number): readonly Difference[] {
    this.#walk?.advanceThrough((this.#walksA ? a : b) - 1);
    const known = this.differences.length;
    const written = new Set([
      ...writtenAddresses(this.#a.record, this.#a.index, a),
      ...writtenAddresses(this.#b.record, this.#b.index, b),
    ]);
    this.#compareCells(
      withoutRealRing(guestStateBefore(this.#a, a, this.#view), this.#a.record),
      withoutRealRing(guestStateBefore(this.#b, b, this.#view), this.#b.record),
    );
    this.#compareBytes(written);
    return this.differences.slice(known);
  }

  /** A step that led into ring 3 on a host that cannot stop there: it ended later, at a place of its own. */
  #ranOnInRing3({cells}: GuestState): boolean {
    return !this.#stopsInRing3 && ((cells.get('CS.selector') ?? 0n) & 3n) === 3n;
  }

  /** An event that only one side has. */
  onlyOne(a: VisibleEvent | undefined, b: VisibleEvent | undefined): void {
    const walked = this.#walksA ? a : b;
    if (walked !== undefined) this.#walk?.advanceThrough(walked.guestStep);
    if (walked !== undefined && this.#walk?.isHandling === true) this.#ofHandlers.add(walked.key);
    const ofHandler = this.#ofHandlers.has((a ?? b)?.key ?? '');
    this.#add({
      where: 'sequence',
      what: (a ?? b)?.label ?? '',
      a: a?.label ?? 'nothing',
      b: b?.label ?? 'nothing',
      at: {a: a?.step ?? this.#a.index, b: b?.step ?? this.#b.index},
      ...(ofHandler ? NUMBER_OF_INTERRUPTS : (this.#splitReason() ?? {class: 'unexplained', why: UNKNOWN})),
    });
  }

  /**
   * An instruction that only one side has. Where it is the simulated side, KVM did not stop behind it: code that this host
   * cannot step. Where it is real KVM, and it is not one more round of a repeated instruction, the runs went apart;
   * `isExpected`: that a quirk of the host makes them.
   */
  onlyOneInstruction(a: VisibleEvent | undefined, b: VisibleEvent | undefined, isExpected: boolean): void {
    const [walked, other] = this.#walksA ? [a, b] : [b, a];
    if (walked !== undefined) this.#walk?.advanceThrough(walked.guestStep);
    if (other === undefined || other.key === this.#lastKey || isExpected) return;
    this.onlyOne(a, b);
  }

  /** Memory at the end of both runs. */
  compareMemory(): void {
    const [a, b] = [this.#a, this.#b].map(playhead => {
      playhead.seek(playhead.record.length);
      return memoryAt(playhead);
    });
    if (a === undefined || b === undefined) return;
    this.#walk?.advanceThrough(Number.MAX_SAFE_INTEGER);
    for (let page = 0; ; page += 4096) {
      const [left, right] = [a.readPhysical(page, 4096), b.readPhysical(page, 4096)];
      if (left === undefined || right === undefined) return;
      this.#comparePage(page, left, right);
    }
  }

  /** What KVM answered without user space, where real KVM was traced. */
  compareInsideKvm(): void {
    const [simulated, real] = this.#walksA ? [this.#a, this.#b] : [this.#b, this.#a];
    if (simulated.record.header.engine !== 'simulated' || real.record.header.engine !== 'kvm') return;
    const found = cpuidDifference(simulated, real.record, this.#view);
    if (found === undefined) return;
    const text = (leaf: AskedLeaf | undefined): string =>
      leaf === undefined ? 'nothing' : `CPUID leaf ${hex(leaf.leaf)}`;
    const [here, there] = this.#walksA ? [found.simulated, found.real] : [found.real, found.simulated];
    this.#add({
      where: 'inside-kvm',
      what: 'CPUID, answered inside KVM',
      a: text(here),
      b: text(there),
      at: {a: here?.step ?? this.#a.record.length, b: there?.step ?? this.#b.record.length},
      ...(this.#splitReason() ?? {class: 'unexplained', why: UNKNOWN}),
    });
  }

  #compareBytes(addresses: ReadonlySet<number>): void {
    const [left, right] = [this.#a, this.#b].map(playhead => memoryAt(playhead));
    if (left === undefined || right === undefined) return;
    const words = new Set([...addresses].map(gpa => gpa - (gpa % 8)));
    for (const gpa of words) {
      const [a, b] = [left.readPhysical(gpa, 8), right.readPhysical(gpa, 8)];
      if (a !== undefined && b !== undefined) this.#comparePage(gpa, a, b);
    }
  }

  /** What explains that only one side has some exits at all: a quirk after which the two run different programs. */
  exitExcuse(): Reason | undefined {
    return this.#splitReason();
  }

  #comparePage(page: number, a: Uint8Array, b: Uint8Array): void {
    for (let start = 0; start < a.length; start++) {
      if (a[start] === b[start]) continue;
      let end = start + 1;
      while (end < a.length && a[end] !== b[end] && end - start < 16) end++;
      const text = (bytes: Uint8Array): string => hexBytes(bytes.subarray(start, end));
      this.#add({
        where: 'memory',
        what: `memory ${hex(page + start)}`,
        a: text(a),
        b: text(b),
        at: {a: this.#a.index, b: this.#b.index},
        ...this.#byteReason(page + start, end - start),
      });
      start = end - 1;
    }
  }

  #compareCells(a: GuestState, b: GuestState): void {
    for (const cell of [...COMPARED_CELLS, RING]) {
      const [left, right] = [a.cells.get(cell), b.cells.get(cell)];
      if (left === undefined || right === undefined) continue;
      const now = `${left} ${right}`;
      if (left === right) this.#told.delete(cell);
      else if (this.#told.get(cell) !== now) {
        this.#told.set(cell, now);
        this.#add({
          where: 'registers',
          what: cell,
          a: hex(left),
          b: hex(right),
          at: {a: a.index, b: b.index},
          ...this.#cellReason(cell, left ^ right),
        });
      }
    }
  }

  #cellReason(cell: Cell, differing: bigint): Reason {
    if (this.#walk?.isHandling === true) return ORIGINS.interrupt;
    if (cell === 'RFLAGS') {
      const excused = this.#walk?.undefinedFlags ?? 0n;
      if ((differing & ~excused) === 0n)
        return {
          class: 'undefined-flags',
          why: 'The manual leaves these flags undefined after the last instruction that wrote them: processors differ.',
        };
      const quirk = [...this.#active].find(
        one => one.excuses !== 'everything' && (differing & ~excused & ~one.excuses.flags) === 0n,
      );
      if (quirk !== undefined) return {class: 'host-quirk', why: quirk.sentence};
    }
    const origin = this.#walk?.originOf(cell);
    if (origin !== undefined) return ORIGINS[origin];
    const quirk = [...this.#active].find(one => one.excuses !== 'everything' && one.excuses.cells.includes(cell));
    return quirk !== undefined
      ? {class: 'host-quirk', why: quirk.sentence}
      : (this.#splitReason() ?? {class: 'unexplained', why: UNKNOWN});
  }

  #byteReason(gpa: number, length: number): Reason {
    const origins = Array.from({length}, (_, i) => this.#walk?.originOfByte(gpa + i));
    const [origin] = origins;
    if (origin !== undefined && origins.every(one => one !== undefined)) return ORIGINS[origin];
    return this.#splitReason() ?? {class: 'unexplained', why: UNKNOWN};
  }

  #splitReason(): Reason | undefined {
    const quirk = [...this.#active].find(one => one.excuses === 'everything');
    return quirk === undefined ? undefined : {class: 'host-quirk', why: quirk.sentence};
  }

  #add(difference: Difference): void {
    this.counts.set(difference.class, (this.counts.get(difference.class) ?? 0) + 1);
    if (this.differences.length < MOST) this.differences.push(difference);
  }
}

function memoryAt(playhead: Playhead): GuestMemory | undefined {
  const bank = playhead.bank('memory');
  return bank === undefined ? undefined : new GuestMemory(playhead.record.header, bank);
}

/** Guest-physical addresses of the bytes that steps from state `from` to state `to` changed. */
function writtenAddresses(record: RunRecord, from: number, to: number): readonly number[] {
  const start = record.space.place('memory', 0);
  if (start === undefined) return [];
  const end = start + (record.space.shapes[record.space.indexOf('memory')]?.size ?? 0);
  const memory = new GuestMemory(record.header, new Uint8Array(0));
  const found: number[] = [];
  for (let step = from; step < to; step++) {
    record.changes.runsOf(step, (place, length) => {
      for (let at = Math.max(place, start); at < Math.min(place + length, end); at++) {
        const gpa = memory.addressOf(at - start);
        if (gpa !== undefined) found.push(gpa);
      }
    });
  }
  return found;
}

/** The RPL of CS and SS is the real ring where the guest runs deprivileged, whichever it believes to be in. */
function withoutRealRing(state: GuestState, {header}: RunRecord): GuestState {
  if (!isDeprivileged(header.technique)) return state;
  const believed = state.cells.get('CPL') ?? 0n;
  const cells = new Map(state.cells);
  for (const cell of ['CS.selector', 'SS.selector'] as const) {
    const selector = cells.get(cell);
    if (selector !== undefined && selector !== 0n) cells.set(cell, (selector & ~3n) | believed);
  }
  return {...state, cells};
}

const ORIGINS = {
  cpuid: {class: 'cpuid', why: 'The value comes from CPUID: two processors say different things of themselves.'},
  clock: {class: 'timing', why: 'The value comes from the time-stamp counter: two clocks show different times.'},
  interrupt: {
    class: 'timing',
    why: 'An interrupt came at another point of the guest: what it saved, and what its handler found and wrote, differs.',
  },
  'undefined-flags': {
    class: 'undefined-flags',
    why: 'The value comes from flags that the manual leaves undefined.',
  },
} as const satisfies Record<Origin, Reason>;

const NUMBER_OF_INTERRUPTS: Reason = {
  class: 'timing',
  why: 'The handler of an interrupt does this, and interrupts came more often on one side: its guest took more time.',
};
