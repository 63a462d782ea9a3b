// What each way of putting out a text costs, counted in the record of the guest output-ways. The guest announces each way by
// its letter at port 80h; what happens from there to the next announcement belongs to it.

import {exitTitle} from '@hyperscope/isa';
import type {RunRecord, TraceEvent} from '@hyperscope/trace';
import {assertExists} from '@hyperscope/base';
import {assembleGuest, findGuest} from '@hyperscope/guests';

const PROGRESS_PORT = 0x80;
/** What the guest announces, in its order; '.' is the end. */
const WAYS: ReadonlyMap<string, string> = new Map([
  ['?', 'looking what there is'],
  ['a', 'OUT, byte by byte'],
  ['b', 'REP OUTS'],
  ['c', 'video memory, byte by byte'],
  ['d', 'the same, coalesced'],
  ['e', 'virtio ring, one kick'],
  ['f', 'hypercall'],
]);

export interface OutputWay {
  /** The letter by which the guest announces it. */
  readonly letter: string;
  readonly title: string;
  /** Hardware's exits, by title, most frequent first; undefined where the record does not have them (real KVM). */
  readonly vmExits: readonly (readonly [title: string, count: number])[] | undefined;
  /** How often KVM_RUN came back to user space; undefined where there is no KVM. */
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
  readonly vmExits: Map<string, number>;
  userExits: number;
  lastExit: string | undefined;
}

/** Counts the exits of each way. `on`: what the record was made on. */
export function countOutputWays(record: RunRecord, on: 'no hypervisor' | 'simulated hypervisor' | 'kvm'): OutputWays {
  const counters: Counter[] = [];
  for (const {index, cycle} of record.steps()) {
    for (const event of record.eventsOf(index)) {
      const counter = counters.at(-1);
      const letter = announced(event, on);
      if (letter !== undefined) {
        if (counter !== undefined) endWay(counter, cycle);
        counters.push({letter, from: cycle, to: cycle, vmExits: new Map(), userExits: 0, lastExit: undefined});
      } else if (counter !== undefined) countEvent(counter, event);
    }
  }
  return {textBytes: textBytes(), ways: counters.flatMap(counter => wayOf(counter, on))};
}

/** The text's length, as the program's own source has it. */
function textBytes(): number {
  const guest = assertExists(findGuest('output-ways'), 'the guest output-ways ships');
  return Number(assertExists(assembleGuest(guest).symbols.get('TEXT_BYTES'), 'it names the length of its text'));
}

/** On bare metal OUT is an event of the machine; elsewhere user space is told. */
function announced(event: TraceEvent, on: Parameters<typeof countOutputWays>[1]): string | undefined {
  if (on === 'no hypervisor')
    return event.kind === 'port' && event.port === PROGRESS_PORT ? String.fromCharCode(event.value) : undefined;
  if (event.kind !== 'kvm-exit' || event.exit.reason !== 'io' || event.exit.port !== PROGRESS_PORT) return undefined;
  return String.fromCharCode(...event.exit.data);
}

function countEvent(counter: Counter, event: TraceEvent): void {
  if (event.kind === 'kvm-exit') counter.userExits++;
  if (event.kind !== 'vm-exit') return;
  const title = exitTitle(event.exit);
  counter.vmExits.set(title, (counter.vmExits.get(title) ?? 0) + 1);
  counter.lastExit = title;
}

/** The exit by which the guest announced what comes next is not this way's. */
function endWay(counter: Counter, cycle: number): void {
  counter.to = cycle;
  if (counter.lastExit === undefined) return;
  const count = counter.vmExits.get(counter.lastExit) ?? 0;
  if (count > 1) counter.vmExits.set(counter.lastExit, count - 1);
  else counter.vmExits.delete(counter.lastExit);
}

function wayOf(
  {letter, from, to, vmExits, userExits}: Counter,
  on: Parameters<typeof countOutputWays>[1],
): readonly OutputWay[] {
  const title = WAYS.get(letter);
  if (title === undefined) return [];
  return [
    {
      letter,
      title,
      vmExits: on === 'simulated hypervisor' ? [...vmExits].sort((a, b) => b[1] - a[1]) : undefined,
      userExits: on === 'no hypervisor' ? undefined : userExits,
      cycles: on === 'kvm' ? undefined : to - from,
    },
  ];
}
