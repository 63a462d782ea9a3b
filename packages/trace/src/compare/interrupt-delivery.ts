// Steps in which an interrupt reached the guest: between two of its instructions, at a moment that is not the guest's doing.

import type {RunRecord} from '../record/run-record.js';

/** Not the exceptions, which an instruction causes, nor INT n, which is one. */
export function deliversInterrupt(record: RunRecord, step: number): boolean {
  if (record.columns.kind(step) === 'instruction') return false;
  const raised = new Set<number>();
  let delivered = false;
  for (const event of record.eventsOf(step)) {
    if (event.kind === 'exception') raised.add(event.vector);
    else if (event.kind === 'delivery' && !raised.has(event.vector)) delivered = true;
  }
  return delivered;
}
