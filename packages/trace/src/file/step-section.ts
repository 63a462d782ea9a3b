// The section of steps, column after column, since like compresses well beside like:
// count · tags · instruction lengths · RIPs (u64 each) · cycles (varint, from the previous step) · sizes of changes (varint).

import {assertExists} from '@hyperscope/base';
import {ByteColumn} from '../record/growable-columns.js';
import type {RunRecord} from '../record/run-record.js';
import {readTag} from '../record/step-columns.js';
import type {RecordedStep} from '../record/step-columns.js';
import {ByteReader} from './byte-reader.js';
import {damaged} from './sections.js';

export function writeSteps(record: RunRecord): Uint8Array {
  const {columns, changes, length} = record;
  const out = new ByteColumn(length * 16 + 16);
  out.pushVarint(length);
  for (let i = 0; i < length; i++) out.push(columns.tag(i));
  for (let i = 0; i < length; i++) out.push(columns.instructionLength(i));
  const rip = new Uint8Array(8);
  const view = new DataView(rip.buffer);
  for (let i = 0; i < length; i++) {
    view.setBigUint64(0, columns.rip(i), true);
    out.pushBytes(rip, 0, 8);
  }
  for (let i = 0; i < length; i++) out.pushVarint(columns.cycles.at(i) - (i === 0 ? 0 : columns.cycles.at(i - 1)));
  for (let i = 0; i < length; i++) out.pushVarint(changes.ends.at(i) - (i === 0 ? 0 : changes.ends.at(i - 1)));
  return out.toBytes();
}

export interface ReadStep {
  readonly step: RecordedStep;
  /** Bytes of its change. */
  readonly changeBytes: number;
}

export function* readSteps(section: Uint8Array): IterableIterator<ReadStep> {
  const reader = new ByteReader(section);
  const length = reader.varint();
  const tags = reader.take(length);
  const lengths = reader.take(length);
  const rips = reader.take(length * 8);
  const view = new DataView(rips.buffer, rips.byteOffset, rips.length);
  const cycles = new Float64Array(length);
  for (let i = 0; i < length; i++) cycles[i] = reader.varint() + (i === 0 ? 0 : (cycles[i - 1] ?? 0));
  for (let i = 0; i < length; i++) {
    const tag = readTag(tags[i] ?? 0);
    if (tag === undefined) throw damaged();
    const cycle = assertExists(cycles[i], 'a cycle for each step');
    yield {
      step: {...tag, rip: view.getBigUint64(i * 8, true), length: lengths[i] ?? 0, cycle},
      changeBytes: reader.varint(),
    };
  }
  if (!reader.atEnd) throw damaged();
}
