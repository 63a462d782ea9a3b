// What each way of putting out a text costs, counted in the record of the guest output-ways. The guest announces each way by
// its letter at port 80h; what happens from there to the next announcement belongs to it.

import {exceptionAt, exitTitle} from '@hyperscope/isa';
import type {RunRecord, TraceEvent} from '@hyperscope/trace';
import {assertExists, hex} from '@hyperscope/base';
import {assembleGuest, findGuest} from '@hyperscope/guests';

const PROGRESS_PORT = 0x80;
/** What the guest announces, in its order; '.' is the end. */
const WAYS: ReadonlyMap<string, string> = new Map([
  ['?', 'looking what there is'],
  ['a', 'OUT, byte by byte'],
  ['b', 'REP OUTS'],
  ['c', 'video memory, byte by byte'],
  ['d', 'the half that KVM coalesces'],
  ['e', 'virtio ring, one kick'],
  ['f', 'hypercall'],
]);

export interface OutputWay {
  /** The letter by which the guest announces it. */
  readonly letter: string;
  readonly title: string;
  /**
   * VM exits by their titles, or traps of a guest that runs outside ring 0, most frequent first; undefined where the record does
   * not have them (real KVM) and where there are none (bare metal).
   */
  readonly exits: readonly (readonly [title: string, count: number])[] | undefined;
  /** How often KVM_RUN came back to user space; undefined where there is none. */
  readonly userExits: number | undefined;
  /** Cycles of the machine; undefined where the record has no clock of its own. */
  readonly cycles: number | undefined;
}

export interface OutputWays {
  /** Bytes of the text, which each way but '?' puts out once. */
  readonly textBytes: number;
  readonly ways: readonly OutputWay[];
}

interface Counter {
  readonly letter: string;
  readonly from: number;
  to: number;
  readonly exits: Map<string, number>;
  userExits: number;
  lastExit: string | undefined;
}

/** What takes the processor from the guest: nothing, the hardware, a trap into a VMM below it, or KVM, which does not tell. */
type Kind = 'bare' | 'hardware' | 'traps' | 'real KVM';

function kindOf(record: RunRecord): Kind {
  const has = (kind: TraceEvent['kind']): boolean => record.events.firstOfKind(kind, 0) !== undefined;
  if (has('vm-exit')) return 'hardware';
  if (has('kvm-exit')) return 'real KVM';
  return has('emulation') ? 'traps' : 'bare';
}

/** Counts the exits of each way in a record of output-ways, whatever it was made on. */
export function countOutputWays(record: RunRecord): OutputWays {
  const kind = kindOf(record);
  const counters: Counter[] = [];
  for (const {index, cycle} of record.steps()) {
    for (const event of record.eventsOf(index)) {
      const counter = counters.at(-1);
      const letter = announced(event);
      if (letter !== undefined) {
        if (counter !== undefined) endWay(counter, cycle);
        counters.push({letter, from: cycle, to: cycle, exits: new Map(), userExits: 0, lastExit: undefined});
      } else if (counter !== undefined) countEvent(counter, event, kind);
    }
  }
  return {textBytes: textBytes(), ways: counters.flatMap(counter => wayOf(counter, kind))};
}

/** The text's length, as the program's own source has it. */
function textBytes(): number {
  const guest = assertExists(findGuest('output-ways'), 'the guest output-ways ships');
  return Number(assertExists(assembleGuest(guest).symbols.get('TEXT_BYTES'), 'it names the length of its text'));
}

/** A machine's own port tells of itself; of a port under KVM user space is told. */
function announced(event: TraceEvent): string | undefined {
  if (event.kind === 'port' && event.port === PROGRESS_PORT) return String.fromCharCode(event.value);
  if (event.kind !== 'kvm-exit' || event.exit.reason !== 'io' || event.exit.port !== PROGRESS_PORT) return undefined;
  return String.fromCharCode(...event.exit.data);
}

function countEvent(counter: Counter, event: TraceEvent, kind: Kind): void {
  if (event.kind === 'kvm-exit') counter.userExits++;
  const title = exitTitleOf(event, kind);
  if (title === undefined) return;
  counter.exits.set(title, (counter.exits.get(title) ?? 0) + 1);
  counter.lastExit = title;
}

function exitTitleOf(event: TraceEvent, kind: Kind): string | undefined {
  if (event.kind === 'vm-exit') return exitTitle(event.exit);
  if (kind !== 'traps' || event.kind !== 'delivery' || event.to !== 0) return undefined;
  return exceptionAt(event.vector)?.name ?? `interrupt ${hex(event.vector, 2)}`;
}

/** The exit by which the guest announced what comes next is not this way's. */
function endWay(counter: Counter, cycle: number): void {
  counter.to = cycle;
  if (counter.lastExit === undefined) return;
  const count = counter.exits.get(counter.lastExit) ?? 0;
  if (count > 1) counter.exits.set(counter.lastExit, count - 1);
  else counter.exits.delete(counter.lastExit);
}

function wayOf({letter, from, to, exits, userExits}: Counter, kind: Kind): readonly OutputWay[] {
  const title = WAYS.get(letter);
  if (title === undefined) return [];
  return [
    {
      letter,
      title,
      exits: kind === 'hardware' || kind === 'traps' ? [...exits].sort((a, b) => b[1] - a[1]) : undefined,
      userExits: kind === 'hardware' || kind === 'real KVM' ? userExits : undefined,
      cycles: kind === 'real KVM' ? undefined : to - from,
    },
  ];
}
