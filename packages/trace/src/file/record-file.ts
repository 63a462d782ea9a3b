// A record as a file, and back. The same record gives the same bytes: nothing in a file depends on when or where it was
// written, except what the header says on purpose.

import {UserError} from '@hyperscope/base';
import {ChangeReader, isWellFormed} from '../change/change.js';
import {RunRecord} from '../record/run-record.js';
import {isTraceEvent} from './event-shape.js';
import {checkedHeader} from './header-shape.js';
import {damaged, readContainer, writeContainer} from './sections.js';
import {count, fields, isObject, optional, text} from './shape.js';
import {readSteps, writeSteps} from './step-section.js';
import {fromTaggedJson, toTaggedJson} from './tagged-json.js';

/** The file of a record. */
export async function writeRecord(record: RunRecord): Promise<Uint8Array> {
  const events: (readonly [step: number, event: unknown])[] = [];
  for (let i = 0; i < record.events.length; i++) events.push([record.events.stepOf(i), record.events.at(i)]);
  const encode = (value: unknown): Uint8Array => new TextEncoder().encode(toTaggedJson(value));
  return writeContainer(JSON.stringify(record.header), [
    ['INIT', record.initial],
    ['STEP', writeSteps(record)],
    ['CHNG', record.changes.bytes.toBytes()],
    ['EVNT', encode(events)],
    ['TAIL', encode({endCycle: record.endCycle, outcome: record.outcome})],
  ]);
}

/**
 * The record in a file. UserErrors: not-a-record (a foreign file), record-truncated, record-newer, record-damaged,
 * record-too-large.
 */
export async function readRecord(file: Uint8Array): Promise<RunRecord> {
  const container = await readContainer(file);
  const header = checkedHeader(parsed(container.header));
  const section = (name: string): Uint8Array => {
    const bytes = container.sections.get(name);
    if (bytes === undefined)
      throw new UserError('record-damaged', `This record lacks its part ${name}. Record the run again.`);
    return bytes;
  };
  const record = new RunRecord(header, section('INIT'));
  const reader = new ChangeReader();
  if (!isWellFormed(reader, record.initial, 0, record.initial.length, record.space.size)) throw damaged();
  restoreSteps(record, section('STEP'), section('CHNG'));
  restoreEvents(record, parsed(new TextDecoder().decode(section('EVNT'))));
  restoreTail(record, parsed(new TextDecoder().decode(section('TAIL'))));
  return record;
}

function parsed(source: string): unknown {
  try {
    return fromTaggedJson(source);
  } catch (error) {
    if (error instanceof SyntaxError) throw damaged();
    throw error;
  }
}

function restoreSteps(record: RunRecord, steps: Uint8Array, changes: Uint8Array): void {
  const reader = new ChangeReader();
  let at = 0;
  for (const {step, changeBytes} of readSteps(steps)) {
    const end = at + changeBytes;
    if (end > changes.length || !isWellFormed(reader, changes, at, end, record.space.size)) throw damaged();
    record.changes.bytes.pushBytes(changes, at, end);
    record.changes.push();
    record.columns.push(step);
    at = end;
  }
  if (at !== changes.length) throw damaged();
}

function restoreEvents(record: RunRecord, events: unknown): void {
  if (!Array.isArray(events)) throw damaged();
  let last = 0;
  for (const entry of events) {
    if (!Array.isArray(entry)) throw damaged();
    const step: unknown = entry[0];
    const event: unknown = entry[1];
    if (
      typeof step !== 'number' ||
      !count(step) ||
      step < last ||
      step >= Math.max(record.length, 1) ||
      !isTraceEvent(event)
    )
      throw damaged();
    record.events.push(step, event);
    last = step;
  }
}

const tailShape = fields({endCycle: count, outcome: optional(text)});

function restoreTail(record: RunRecord, tail: unknown): void {
  if (!isObject(tail) || !tailShape(tail)) throw damaged();
  const {endCycle, outcome} = tail;
  if (typeof endCycle !== 'number' || endCycle < record.cycleAt(record.length - 1)) throw damaged();
  record.endCycle = endCycle;
  if (typeof outcome === 'string') record.outcome = outcome;
}
