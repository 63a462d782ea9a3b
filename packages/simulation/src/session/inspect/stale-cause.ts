// Which write made a translation stale: of all entries that a walk reads now, the one that was changed last, and the step that
// changed it. A processor that marks an entry accessed or dirty writes it too, and changes nothing about where it leads.

import {hex} from '@hyperscope/base';
import {ACTOR_NAMES} from '@hyperscope/trace';
import type {LookedAt} from './looked-at.js';
import type {LookingWalk} from './looking-walk.js';

const ACCESSED_DIRTY = 0x60n;
/** Writes of one entry that are looked back over, most of which only mark it. */
const MOST_WRITES = 64;
const TABLES = ['', 'PT', 'PD', 'PDPT', 'PML4', 'PML5'] as const;

/** The entry of 4 or 8 bytes at a host-physical address, in another state. */
export type EntryAt = (state: number, place: number, bytes: 4 | 8) => bigint | undefined;

export interface StaleCause {
  readonly step: number;
  readonly table: LookingWalk['references'][number]['table'];
  /** 'Step 12, guest kernel, AND …, changed the PD entry at GPA 0x…: 0x83 became 0x81'. */
  readonly sentence: string;
}

interface Change {
  readonly step: number;
  readonly before: bigint;
  readonly after: bigint;
}

/** Undefined where no entry was changed since the record began. */
export function staleCause(
  looked: LookedAt,
  walk: LookingWalk,
  entryBytes: 4 | 8,
  entryAt: EntryAt,
): StaleCause | undefined {
  const changes = walk.references.flatMap((reference, at) => {
    const place = walk.places[at];
    const bytes = reference.table === 'guest' ? entryBytes : 8;
    const change = place === undefined ? undefined : lastChange(looked, place, bytes, entryAt);
    return change === undefined || place === undefined ? [] : [{reference, place, change}];
  });
  const last = changes.toSorted((a, b) => b.change.step - a.change.step)[0];
  if (last === undefined) return undefined;
  const {reference, place, change} = last;
  return {step: change.step, table: reference.table, sentence: sentenceOf(looked, reference, place, change)};
}

function lastChange({record, index}: LookedAt, place: number, bytes: 4 | 8, entryAt: EntryAt): Change | undefined {
  let until = index;
  for (let write = 0; write < MOST_WRITES; write++) {
    const steps = Array.from({length: bytes}, (_, at) => record.lastWriter('memory', place + at, until) ?? -1);
    const step = Math.max(...steps);
    if (step < 0) return undefined;
    const before = entryAt(step, place, bytes);
    const after = entryAt(step + 1, place, bytes);
    if (before === undefined || after === undefined) return undefined;
    if (((before ^ after) & ~ACCESSED_DIRTY) !== 0n) return {step, before, after};
    until = step;
  }
  return undefined;
}

function sentenceOf(
  {record, textOf}: LookedAt,
  {table, level, address}: LookingWalk['references'][number],
  place: number,
  {step, before, after}: Change,
): string {
  const who = record.step(step)?.who;
  const text = textOf(step);
  const actor = who === undefined ? '' : `, ${ACTOR_NAMES[who]}`;
  const pool = record.header.shadowPool;
  const isShadow = pool !== undefined && place >= pool.start && place < pool.end;
  const kind = table === 'guest' ? (isShadow ? 'shadow ' : '') : `${table.toUpperCase()} `;
  const at = table === 'guest' && place !== address ? `GPA ${hex(address)}` : `HPA ${hex(place)}`;
  return `Step ${step + 1}${actor}${text === '' ? '' : `, ${text}`}, changed the ${kind}${TABLES[level] ?? `level ${level}`} entry at ${at}: ${hex(before)} became ${hex(after)}`;
}
