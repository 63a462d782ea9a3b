// Why a guest was left, how often, and for how long: a table like that of `perf kvm stat`. With hardware for virtualization the
// reasons are the processor's; without it, what led from the guest into its VMM; on real KVM, why KVM_RUN came back.

import {exceptionAt, exitTitle} from '@hyperscope/isa';
import {kvmExitName} from '../explain/kvm-exit-words.js';
import {isDeprivileged} from '../record/deprivileged.js';
import {Playhead} from '../record/playhead.js';
import type {RunRecord} from '../record/run-record.js';
import {textOfStep} from '../state/instruction-text.js';
import type {GuestView} from './guest-registers.js';
import type {LaneExit} from './lane.js';

interface Row {
  readonly first: number;
  readonly times: number[];
}

/** The most frequent first; none on bare metal, where there is nothing to be left for. */
export function laneExits(record: RunRecord, view: GuestView): readonly LaneExit[] {
  const rows = new Map<string, Row>();
  for (const {step, reason} of exitsOf(record)) {
    const row = rows.get(reason) ?? {first: step, times: []};
    row.times.push(cyclesAway(record, step));
    rows.set(reason, row);
  }
  const playhead = new Playhead(record);
  const isReal = record.header.engine === 'kvm';
  return [...rows]
    .map(([reason, {first, times}]): LaneExit => ({
      reason,
      count: times.length,
      cycles: isReal ? undefined : times.reduce((sum, time) => sum + time, 0),
      shortest: isReal ? undefined : times.reduce((a, b) => Math.min(a, b), Infinity),
      longest: isReal ? undefined : times.reduce((a, b) => Math.max(a, b), 0),
      first,
      instruction: isReal ? '' : textOfStep(playhead, first, view),
    }))
    .sort((a, b) => b.count - a.count || a.reason.localeCompare(b.reason));
}

/** Each time the guest was left: the step that did it, and why. */
export function* exitsOf(record: RunRecord): Generator<{readonly step: number; readonly reason: string}> {
  const {technique, engine} = record.header;
  if (engine === 'kvm') {
    for (const {step, event} of record.events.allOf('kvm-exit'))
      if (event.exit.reason !== 'debug' && event.exit.reason !== 'interrupted')
        yield {step, reason: kvmExitName(event.exit)};
  } else if (isDeprivileged(technique)) {
    for (let step = 0; step + 1 < record.length; step++)
      if (isGuest(record, step) && !isGuest(record, step + 1)) yield {step, reason: trapName(record, step)};
  } else if (technique !== 'bare') {
    for (const {step, event} of record.events.allOf('vm-exit')) yield {step, reason: exitTitle(event.exit)};
  }
}

const isGuest = (record: RunRecord, step: number): boolean => record.columns.who(step).startsWith('guest');

/** What led into the VMM: an exception of the guest's code, an interrupt, or a system call. */
function trapName(record: RunRecord, step: number): string {
  for (const event of record.eventsOf(step)) {
    if (event.kind === 'exception') {
      const {name, title} = exceptionAt(event.vector) ?? {name: `vector ${event.vector}`, title: ''};
      return `${name} ${title}`.trim();
    }
    if (event.kind === 'delivery') return 'external interrupt';
    if (event.kind === 'ring') return event.how;
  }
  return 'other';
}

/** From the step that led out of the guest to the guest's next. */
function cyclesAway(record: RunRecord, step: number): number {
  let next = step + 1;
  while (next < record.length && !isGuest(record, next)) next++;
  return record.cycleAt(next) - record.cycleAt(step);
}
